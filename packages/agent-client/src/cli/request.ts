import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { ProtocolError, parseStrict } from "@countersign/shared";
import { defineCommand } from "citty";
import type { ActionProposal, RequestOptions } from "../client/request.js";
import { describe } from "./describe.js";
import { exitCodeOf } from "./exit-codes.js";
import { commonArgs, runSession, UsageError } from "./session.js";

export const request = defineCommand({
  meta: {
    name: "request",
    description: "Ask for an approval; prints the request's id and match code",
  },
  args: {
    ...commonArgs,
    action: {
      type: "positional",
      required: true,
      description: 'File with the action as JSON, {"tool", "args", ...}; - for standard input',
    },
    reason: { type: "string", description: "Why this needs a person" },
    approvers: {
      type: "string",
      description: "Ids of approvers, separated by commas. Default: all",
    },
    quorum: { type: "string", description: "How many approvers have to say yes. Default: 1" },
    expires: {
      type: "string",
      description: "Seconds to decide and execute in, up to 600. Default: 300",
    },
    screenshot: { type: "string", description: "Picture of the screen: PNG, JPEG or WebP" },
  },
  run: ({ args }) =>
    runSession(args, async ({ client, signal, say }) => {
      const proposal = readProposal(await readInput(args.action));
      const options: RequestOptions = {
        signal,
        ...(args.reason === undefined ? {} : { reasons: [args.reason] }),
        ...(args.approvers === undefined ? {} : { approvers: args.approvers.split(",") }),
        ...(args.quorum === undefined ? {} : { quorum: wholeNumber(args.quorum) }),
        ...(args.expires === undefined ? {} : { expiresInSeconds: lifetime(args.expires) }),
        ...(args.screenshot === undefined ? {} : { screenshot: await readInput(args.screenshot) }),
      };
      const answer = await client.request(proposal, options);
      say(describe(answer), answer);
      return exitCodeOf(answer);
    }),
});

async function readInput(path: string): Promise<Uint8Array> {
  if (path === "-") return buffer(process.stdin);
  try {
    return await readFile(path);
  } catch {
    throw new UsageError(`This file cannot be read: ${path}`);
  }
}

/** Strictly, so that a number which JavaScript would round is refused here and not changed on the way. */
function readProposal(bytes: Uint8Array): ActionProposal {
  try {
    const value = parseStrict(bytes);
    if (value !== null && typeof value === "object" && "tool" in value && "args" in value) {
      return value as unknown as ActionProposal;
    }
  } catch (error) {
    if (error instanceof ProtocolError) throw new UsageError(error.message);
    throw error;
  }
  throw new UsageError('The action has to be a JSON object with "tool" and "args".');
}

function lifetime(text: string): number {
  const seconds = wholeNumber(text);
  if (seconds < 1 || seconds > 600) throw new UsageError("--expires takes 1 to 600 seconds.");
  return seconds;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new UsageError(`Not a whole number: ${text}`);
  return Number(text);
}
