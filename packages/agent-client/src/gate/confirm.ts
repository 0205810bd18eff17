import type { Action } from "@countersign/shared";

/** What somebody is asked about in passing. All of it may hold text from outside: escape it where it is shown. */
export interface Question {
  action: Action;
  reasons: readonly string[];
}

/** Only "yes" lets it happen. "no" is remembered, the others are not: nobody refused. */
export type Reply = "yes" | "no" | "unclear" | "no_answer";

/**
 * Asks whoever sits in front of the agent. Quick, but never silent: it resolves to "yes" only for a yes that was given
 * to this very question, and to "no_answer" when `signal` is aborted or nobody answers. What it throws is no answer.
 */
export type Confirm = (question: Question, options: { signal: AbortSignal }) => Promise<Reply>;
