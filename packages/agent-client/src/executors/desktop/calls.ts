import type { Json } from "@countersign/shared";
import * as z from "zod/mini";
import { InvalidCall, type ToolCall } from "../../gate/executor.js";
import { keysymOf } from "./keys.js";

const key = z.string().check(z.refine((one) => keysymOf(one) !== undefined));
const coordinate = z.int().check(z.minimum(0), z.maximum(20_000));
const schemas = {
  "mouse.click": z.strictObject({
    x: coordinate,
    y: coordinate,
    button: z.optional(z.enum(["left", "middle", "right"])),
    count: z.optional(z.int().check(z.minimum(1), z.maximum(3))),
  }),
  "keyboard.type": z.strictObject({ text: z.string().check(z.minLength(1), z.maxLength(10_000)) }),
  "keyboard.press": z.strictObject({
    keys: z.union([key, z.array(key).check(z.minLength(1), z.maxLength(20))]),
  }),
} as const;
export const desktopTools = Object.keys(schemas);

/** A call that was understood; `args` as they were given, without what is undefined. */
export type DesktopCall =
  | { does: "click"; args: Json; x: number; y: number; button: number; count: number }
  | { does: "type"; args: Json; text: string }
  | { does: "press"; args: Json; keys: string[] };

const buttons = { left: 1, middle: 2, right: 3 } as const;

/** @throws InvalidCall `tool_unknown`, `arguments_invalid` */
export function readDesktopCall({ tool, args }: ToolCall): DesktopCall {
  switch (tool) {
    case "mouse.click": {
      const { x, y, button = "left", count = 1 } = read(schemas[tool], args);
      return { does: "click", args, x, y, button: buttons[button], count };
    }
    case "keyboard.type":
      return { does: "type", args, text: read(schemas[tool], args).text };
    case "keyboard.press":
      return { does: "press", args, keys: [read(schemas[tool], args).keys].flat() };
    default:
      throw new InvalidCall("tool_unknown");
  }
}

function read<Schema extends z.ZodMiniType>(schema: Schema, args: unknown): z.infer<Schema> {
  const result = z.safeParse(schema, args);
  if (!result.success) throw new InvalidCall("arguments_invalid");
  return result.data;
}
