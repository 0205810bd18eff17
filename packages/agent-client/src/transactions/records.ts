import { id, label, numericDate } from "@countersign/shared";
import * as z from "zod/mini";
import { processIdentity } from "../journal/process.js";
import { snapshotReference } from "./snapshot.js";

/** Who is at it: the process, and which of its calls. */
export const holder = z.strictObject({ process: processIdentity, call: id });
export type Holder = z.infer<typeof holder>;

/** Written first: nothing else may change what these paths hold until this one has ended. */
export const openedRecord = z.strictObject({
  v: z.literal(1),
  n: z.int().check(z.positive()),
  /** The request's id, or what the caller calls an action that nobody was asked for. */
  id,
  holder,
  opened_at: numericDate,
  /** Virtual paths, and where their roots are: taking it back needs no configuration. */
  paths: z.array(z.string()),
  roots: z.record(z.string(), z.string()),
  /** The number of the transaction that this one takes back. */
  undoes: z.optional(z.int().check(z.positive())),
});
export type OpenedRecord = z.infer<typeof openedRecord>;

/** Written before the effect. */
export const beforeRecord = z.strictObject({
  v: z.literal(1),
  snapshot: snapshotReference,
  fingerprint: label(64),
});
export type BeforeRecord = z.infer<typeof beforeRecord>;

/** Whoever takes back what a crash left: of two, one does. */
export const recoveryRecord = z.strictObject({ v: z.literal(1), holder });

export const endedRecord = z.discriminatedUnion("status", [
  /** `after`: the fingerprint of what it left, to tell whether it can still be taken back. */
  z.strictObject({ v: z.literal(1), status: z.literal("committed"), after: label(64) }),
  /** `code`: why. */
  z.strictObject({ v: z.literal(1), status: z.literal("rolled_back"), code: label(64) }),
  z.strictObject({ v: z.literal(1), status: z.literal("unknown"), code: label(64) }),
]);
export type EndedRecord = z.infer<typeof endedRecord>;
