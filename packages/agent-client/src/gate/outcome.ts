import type { Json, Tier } from "@countersign/shared";
import type { NotApproved, RefusedByPolicy } from "../client/answer.js";

/** Why a call was let run, asked about or refused. */
export interface Decision {
  /** Of this call alone: in the journal, and what `undo` is told. */
  id: string;
  /** What it came to; absent where it was refused before there was one. */
  tier?: Tier;
  /** `policy:<rule>`, `limit:<name>`, `command: ...`, and what a classifier said, quoted: text from outside. */
  reasons: readonly string[];
}

/** It was done. `tier` tells how: unasked, after a word in passing, or by a verified approval. */
export type Done =
  | { status: "executed"; tier: "green" | "yellow" }
  | { status: "approved"; rid: string };

export type GateOutcome = { decision: Decision } & (
  | (Done & { outcome: "succeeded"; value: Json })
  /** It was begun and threw: what it did of its work, its executor knows. */
  | (Done & { outcome: "failed"; error: unknown })
  /** Nobody said yes in passing. No signed refusal: that is `denied`. */
  | { status: "declined"; code: "said_no" | "no_answer" | "unclear" }
  /** Stopped before anything was asked or done. */
  | { status: "canceled"; rid?: string }
  | { status: "frozen"; approver: string; rid?: string }
  | RefusedByPolicy
  | Exclude<NotApproved, { status: "canceled" | "frozen" }>
);
