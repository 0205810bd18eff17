import type { Action } from "@countersign/shared";
import type { Confirm, Reply } from "./confirm.js";
import { readReply } from "./reply.js";

/** One piece of a live session's transcript. */
export interface Utterance {
  /** Only the person's own words answer: the agent's voice says "yes" too. */
  speaker: "person" | "agent";
  text: string;
  /** Not to be changed by the recognizer any more. */
  final: boolean;
}

export interface Conversation {
  /** Says the question; resolves when it was said, so that no earlier word is taken for its answer. */
  ask(question: { action: Action; reasons: readonly string[] }, signal: AbortSignal): Promise<void>;
  /** Calls for each utterance from now on. @returns how to stop */
  listen(onUtterance: (utterance: Utterance) => void): () => void;
}

/** How long the person may go on after a yes: "yes ... no, wait" is no. */
const settleMs = 1_200;

/**
 * Asks in a live conversation. The first clear words after the question count, and a no that follows a yes within a
 * moment takes it back. Silence, and whatever is not clearly one of the two, is no yes. One question at a time.
 */
export function spokenConfirm(conversation: Conversation): Confirm {
  let before: Promise<unknown> = Promise.resolve();
  return (question, { signal }) => {
    const reply = before.then(() => askAloud(conversation, question, signal));
    before = reply.catch(() => {});
    return reply;
  };
}

async function askAloud(
  { ask, listen }: Conversation,
  question: Parameters<Conversation["ask"]>[0],
  signal: AbortSignal,
): Promise<Reply> {
  if (signal.aborted) return "no_answer";
  await ask(question, signal);
  if (signal.aborted) return "no_answer";
  return new Promise((resolve) => {
    let heard: Reply = "no_answer";
    let settling: NodeJS.Timeout | undefined;
    const end = (reply: Reply): void => {
      clearTimeout(settling);
      signal.removeEventListener("abort", timeout);
      stop();
      resolve(reply);
    };
    const timeout = (): void => end(heard === "unclear" ? "unclear" : "no_answer");
    signal.addEventListener("abort", timeout, { once: true });
    const stop = listen(({ speaker, text, final }) => {
      if (speaker !== "person") return;
      const reply = readReply(text);
      // A no counts as soon as it is heard, a yes only once nothing takes it back.
      if (reply === "no") return end("no");
      if (!final || reply === "no_answer") return;
      if (reply === "unclear" && settling) return end("unclear");
      heard = reply;
      if (reply === "yes") settling ??= setTimeout(() => end("yes"), settleMs);
    });
  });
}
