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
  process.stderr.write(`${renderUnicodeCompact(link)}\n\n`);
  process.stderr.write(
    `Open the app on the phone, choose "Pair an agent", and scan this or paste:\n${link}\n\n`,
  );
}

async function askForDigits(triesLeft: number, signal: AbortSignal): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const again = triesLeft === 3 ? "" : ` (${triesLeft} left)`;
    return await terminal.question(`The six digits on the phone${again}: `, { signal });
  } finally {
    terminal.close();
  }
}
