import type { Action, Tier } from "@countersign/shared";
import type { Described } from "./executor.js";

/** What a second model sees: the action as it would be executed, what it falls on, and the screen. */
export interface ClassifierInput {
  action: Action;
  family: Described["family"];
  resource: Described["resource"];
  context: Described["context"];
  /** As it is now, where there is one: PNG, JPEG or WebP. */
  screenshot?: Uint8Array;
}

export interface Classification {
  tier: Tier;
  /** In its own words: text from outside, shown as its claim. */
  reasons: readonly string[];
}

/**
 * A second opinion. It can raise a tier and never lower one; whatever it throws, and an answer that comes too late or
 * is none, counts as red.
 */
export type Classifier = (
  input: ClassifierInput,
  options: { signal: AbortSignal },
) => Promise<Classification>;
