import { createInterface } from "node:readline/promises";
import { visible } from "@countersign/shared";
import { defineCommand } from "citty";
import { renderUnicodeCompact } from "uqr";
import { exitCodes } from "./exit-codes.js";
import { commonArgs, runSession, UsageError } from "./session.js";

export const pair = defineCommand({
  meta: { name: "pair", description: "Pair an approver's phone with this agent" },
  args: {
    ...commonArgs,
    name: { type: "string", required: true, description: "How the phone names this agent" },
  },
  run: ({ args }) =>
    runSession(args, async ({ client, signal, say }) => {
      // The digits are what a person carries from the phone: a pipe is no person.
      if (!process.stdin.isTTY) throw new UsageError("Pairing needs a terminal: run it yourself.");
      const approver = await client.pair({
        name: args.name,
        signal,
        onLink: showLink,
        confirmDigits: ({ triesLeft, signal: over }) => askForDigits(triesLeft, over),
      });
      say(`Paired with ${visible(approver.name)} (${approver.approver}).`, {
        status: "paired",
        ...approver,
      });
      return exitCodes.ok;
    }),
});

/** On standard error, which no program reads as the answer: the link is a secret for ten minutes. */
function showLink(link: string): void {
  // A phone reaches no localhost: there the link is pasted in the browser of this machine.
  const scannable = link.startsWith("https:");
  if (scannable) process.stderr.write(`${renderUnicodeCompact(link)}\n\n`);
  process.stderr.write(
    `Open the app, choose "Pair an agent", and ${scannable ? "scan this or paste" : "paste this link"}:

${link}

It works once, for ten minutes. Waiting for the phone. (Ctrl-C ends it.)

`,
  );
}

async function askForDigits(triesLeft: number, signal: AbortSignal): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // The terminal is the prompt's now, and so is its Ctrl-C.
    terminal.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
    const left = triesLeft === 1 ? "One try left" : `${triesLeft} tries left`;
    const wrong = triesLeft === 3 ? "" : `Not the digits that the phone shows. ${left}.\n`;
    return await terminal.question(`${wrong}The six digits on the phone: `, { signal });
  } finally {
    terminal.close();
  }
}
