import * as z from "zod/mini";
import { InvalidCall, type ToolCall } from "../../gate/executor.js";
import type { Place } from "./look.js";

const selector = z.string().check(z.minLength(1), z.maxLength(1000));
const text = z.string().check(z.minLength(1), z.maxLength(10_000));
const key = z
  .string()
  .check(
    z.regex(/^(?:(?:Control|Alt|Meta|Shift|ControlOrMeta)\+){0,4}\S[A-Za-z0-9]{0,30}$|^Space$/),
  );
const coordinate = z.int().check(z.minimum(0), z.maximum(20_000));

const schemas = {
  "browser.navigate": z.strictObject({ url: z.string().check(z.minLength(1), z.maxLength(8000)) }),
  "browser.click": z.strictObject({ selector }),
  "browser.type": z.strictObject({ text, selector, submit: z.optional(z.boolean()) }),
  "keyboard.type": z.strictObject({ text }),
  "keyboard.press": z.strictObject({
    keys: z.union([key, z.array(key).check(z.minLength(1), z.maxLength(20))]),
  }),
  "mouse.click": z.strictObject({
    x: coordinate,
    y: coordinate,
    button: z.optional(z.enum(["left", "middle", "right"])),
    count: z.optional(z.int().check(z.minimum(1), z.maximum(3))),
  }),
} as const;

export type BrowserTool = keyof typeof schemas;
export const browserTools = Object.keys(schemas) as BrowserTool[];

/** A call that was understood: what is done, and to which element. */
export type BrowserCall =
  | { does: "navigate"; args: { url: string } }
  | {
      does: "click";
      args: z.infer<(typeof schemas)["browser.click"]>;
      place: Place;
      button: Button;
      count: number;
    }
  | {
      does: "click";
      args: z.infer<(typeof schemas)["mouse.click"]>;
      place: Place;
      button: Button;
      count: number;
    }
  | {
      does: "type";
      args: { text: string; selector?: string; submit?: boolean | undefined };
      place: Place;
      text: string;
      keys: string[];
    }
  | { does: "press"; args: { keys: string | string[] }; place: Place; keys: string[] };
type Button = "left" | "middle" | "right";

/** @throws InvalidCall `tool_unknown`, `arguments_invalid` */
export function readBrowserCall({ tool, args }: ToolCall): BrowserCall {
  switch (tool) {
    case "browser.navigate":
      return { does: "navigate", args: read(schemas[tool], args) };
    case "browser.click": {
      const given = read(schemas[tool], args);
      return { does: "click", args: given, place: given, button: "left", count: 1 };
    }
    case "mouse.click": {
      const given = read(schemas[tool], args);
      const { x, y, button = "left", count = 1 } = given;
      return { does: "click", args: given, place: { x, y }, button, count };
    }
    case "browser.type": {
      const given = read(schemas[tool], args);
      const keys = given.submit === true ? ["Enter"] : [];
      return {
        does: "type",
        args: given,
        place: { selector: given.selector },
        text: given.text,
        keys,
      };
    }
    case "keyboard.type": {
      const given = read(schemas[tool], args);
      return { does: "type", args: given, place: "focus", text: given.text, keys: [] };
    }
    case "keyboard.press": {
      const given = read(schemas[tool], args);
      return { does: "press", args: given, place: "focus", keys: [given.keys].flat() };
    }
    default:
      throw new InvalidCall("tool_unknown");
  }
}

function read<Schema extends z.ZodMiniType>(schema: Schema, args: unknown): z.infer<Schema> {
  const result = z.safeParse(schema, args);
  if (!result.success) throw new InvalidCall("arguments_invalid");
  return result.data;
}
