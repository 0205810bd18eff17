import * as z from "zod/mini";
import { bytes32, json, label } from "./schema.js";

export const tier = z.enum(["green", "yellow", "red"]);
export type Tier = z.infer<typeof tier>;

const pixels = z.int().check(z.minimum(0), z.maximum(100_000));

/** In pixels of the screenshot, from its top left corner. */
export const rectangle = z.strictObject({ x: pixels, y: pixels, width: pixels, height: pixels });
export type Rectangle = z.infer<typeof rectangle>;

export const target = z.strictObject({
  window: z.optional(label(1000)),
  application: z.optional(label(1000)),
  url: z.optional(label(8000)),
  element: z.optional(label(8000)),
  rectangle: z.optional(rectangle),
});

/** Something that must be as it was when the approver looked; re-checked just before the effect. */
export const precondition = z.strictObject({
  kind: label(64),
  subject: label(8000),
  sha256: bytes32,
});
export type Precondition = z.infer<typeof precondition>;

/**
 * What will be executed, exactly: whatever changes the effect is in it. Only `tool` and `args` come
 * from the model, all else from the library (protocol section 3, object 1).
 */
export const action = z.strictObject({
  v: z.literal(1),
  tool: label(200),
  args: json,
  target: z.optional(target),
  cwd: z.optional(label(8000)),
  env: z.optional(z.record(z.string(), z.string())),
  preconditions: z.array(precondition).check(z.maxLength(64)),
  undo: z.optional(json),
  reversible: z.boolean(),
});
export type Action = z.infer<typeof action>;
