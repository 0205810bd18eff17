import type { Action } from "@countersign/shared";
import * as z from "zod/mini";
import { ExecutionError } from "../executors/execution-error.js";

const text = z.string().check(z.minLength(1), z.maxLength(8000));

/** Something that must hold once the effect was had, or all of it is taken back. */
export const invariant = z.discriminatedUnion("kind", [
  /** Ends with 0. Runs where commands run: in the sandbox. */
  z.strictObject({
    kind: z.literal("command"),
    program: text,
    args: z.array(z.string()),
    cwd: z.optional(text),
    timeout_ms: z.optional(z.int().check(z.minimum(1), z.maximum(600_000))),
  }),
  /** A virtual path with a regular file, or with nothing. */
  z.strictObject({ kind: z.literal("file"), path: text, is: z.enum(["present", "absent"]) }),
  /** Takes a TCP connection within ten seconds. */
  z.strictObject({
    kind: z.literal("port"),
    host: text,
    port: z.int().check(z.minimum(1), z.maximum(65_535)),
  }),
]);
export type Invariant = z.infer<typeof invariant>;

/** The `undo` member of an action that the library itself can take back: a person approves it with the rest. */
export const undoPlan = z.strictObject({
  kind: z.literal("restore"),
  /** Kept before, put back after. A folder stands for all in it. */
  paths: z.array(text).check(z.minLength(1), z.maxLength(64)),
  invariants: z.array(invariant).check(z.maxLength(16)),
});
export type UndoPlan = z.infer<typeof undoPlan>;

/**
 * @returns undefined for an action that says nothing of it, or that its own executor takes back
 * @throws ExecutionError `undo_plan_invalid`
 */
export function planOf({ undo }: Pick<Action, "undo">): UndoPlan | undefined {
  if (!z.safeParse(anyRestore, undo).success) return undefined;
  const parsed = z.safeParse(undoPlan, undo);
  if (!parsed.success) throw new ExecutionError("undo_plan_invalid");
  return parsed.data;
}

const anyRestore = z.looseObject({ kind: z.literal("restore") });
