import { errorTable, ProtocolError } from "@countersign/shared";
import { CallError } from "./api/call.js";
import { wasCanceled } from "./keys/passkey.js";
import { leaveSession } from "./session.js";
import { strings } from "./strings.js";

/**
 * The sentence that tells a person what went wrong and what to do. An ended session also leads to the
 * sign-in screen.
 */
export function sentenceFor(error: unknown): string {
  if (wasCanceled(error)) return strings.failures.canceled;
  if (error instanceof CallError) {
    if (error.code === "unauthenticated") leaveSession();
    if (error.code === "unreachable") return strings.failures.unreachable;
    if (error.code === "unexpected_answer") return strings.failures.unexpectedAnswer;
    return errorTable[error.code][1];
  }
  if (error instanceof ProtocolError) return errorTable[error.code][1];
  // A bug or a browser that lacks something: the console may have it, the person gets a plain sentence.
  console.error(error instanceof Error ? error.name : "unknown failure");
  return strings.failures.unknown;
}
