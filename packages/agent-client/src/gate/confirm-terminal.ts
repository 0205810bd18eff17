import { createInterface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";
import { type Action, visible } from "@countersign/shared";
import type { Confirm, Reply } from "./confirm.js";
import { readReply } from "./reply.js";

/** The terminal that the person sits at. Not for a terminal that the model can type into. */
export interface Terminal {
  input: Readable;
  output: Writable;
}

/**
 * Asks at a terminal: a line with what would be done, and y or n. Questions wait for one another, so that a reply is
 * never to a question that was not on the screen, and keys that were pressed before it was do not count.
 */
export function terminalConfirm(terminal: Terminal): Confirm {
  let before: Promise<unknown> = Promise.resolve();
  return ({ action, reasons }, { signal }) => {
    const reply = before.then(() => askThere(terminal, action, reasons, signal));
    before = reply.catch(() => {});
    return reply;
  };
}

async function askThere(
  { input, output }: Terminal,
  action: Action,
  reasons: readonly string[],
  signal: AbortSignal,
): Promise<Reply> {
  if (signal.aborted) return "no_answer";
  input.read();
  const lines = createInterface({ input, output });
  try {
    const shown = `${say(action)}\n  why: ${reasons.map((reason) => visible(reason)).join("; ")}\n`;
    return readReply(await lines.question(`${shown}Do it? (yes/no) `, { signal }));
  } catch {
    return "no_answer";
  } finally {
    lines.close();
  }
}

const maxShown = 2_000;

/** All of it, or it is said that it is not: what is not read must not be agreed to. */
function say({ tool, args, cwd }: Action): string {
  const text = visible(JSON.stringify(args));
  const shown =
    text.length <= maxShown
      ? text
      : `${text.slice(0, maxShown)} [${text.length - maxShown} characters are not shown: say no]`;
  return `The agent wants to: ${visible(tool)} ${shown}${cwd === undefined ? "" : ` in ${visible(cwd)}`}`;
}
