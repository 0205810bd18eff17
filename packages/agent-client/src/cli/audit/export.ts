import { readRequestObject } from "@countersign/shared";
import { defineCommand } from "citty";
import type { ClientContext } from "../../client/context.js";
import { partsOf } from "../../client/parts.js";
import { ClientError } from "../../errors.js";
import { exitCodes } from "../exit-codes.js";
import { commonArgs, runSession, UsageError } from "../session.js";
import { readStory } from "./read-story.js";

export const exported = defineCommand({
  meta: {
    name: "export",
    description: `Every request of this agent's journal, oldest first, as JSON lines.
Exit codes: 0 all told, 13 the broker gave no evidence for some, 15 some evidence proves nothing`,
  },
  args: {
    broker: commonArgs.broker,
    home: commonArgs.home,
    since: { type: "string", description: "Proposed then or later, ISO 8601", valueHint: "time" },
    until: { type: "string", description: "Proposed before, ISO 8601", valueHint: "time" },
  },
  run: ({ args }) =>
    // What goes into other programs is JSON, with or without the option.
    runSession({ ...args, json: true }, async ({ client, signal, say }) => {
      const [since, until] = [
        secondsOf(args.since, 0),
        secondsOf(args.until, Number.POSITIVE_INFINITY),
      ];
      const { home, context } = partsOf(client);
      const current = await context();
      const found: { rid: string; at: number }[] = [];
      for (const rid of await current.journal.rids()) {
        const at = await proposedAt(current, rid);
        if (at >= since && at < until) found.push({ rid, at });
      }
      let code: number = exitCodes.ok;
      for (const { rid } of found.sort((a, b) => a.at - b.at)) {
        if (signal.aborted) return exitCodes.canceled;
        const { story, doubt } = await readStory(current, home, rid);
        say("", doubt ? { ...story, doubt: doubt.code } : story);
        if (doubt) code = Math.max(code, doubtCode(doubt.isForged));
      }
      return code;
    }),
});

const doubtCode = (isForged: boolean): number =>
  isForged ? exitCodes.integrity_mismatch : exitCodes.unreachable;

async function proposedAt({ journal }: ClientContext, rid: string): Promise<number> {
  const entry = await journal.read(rid);
  if (!entry) throw new ClientError("unknown_request", { detail: rid });
  return readRequestObject(entry.request.request).claims.iat;
}

function secondsOf(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const at = Date.parse(text);
  if (!Number.isFinite(at)) throw new UsageError(`Not a time: ${text}`);
  return at / 1000;
}
