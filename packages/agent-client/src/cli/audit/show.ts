import { utf8, visible } from "@countersign/shared";
import { defineCommand } from "citty";
import { partsOf } from "../../client/parts.js";
import { replaceOctets } from "../../home/durable-file.js";
import { exitCodes } from "../exit-codes.js";
import { commonArgs, runSession } from "../session.js";
import { type ReadStory, readStory } from "./read-story.js";
import { sayStory } from "./say-story.js";

export const show = defineCommand({
  meta: {
    name: "show",
    description: `Tell what happened to a request: proposed, seen, approved by, executed, outcome, undone.
Exit codes: 0 told, 13 the broker gave no evidence, 15 its evidence proves nothing`,
  },
  args: {
    ...commonArgs,
    rid: { type: "positional", required: true, description: "Id of the request" },
    save: {
      type: "string",
      description:
        "Write the evidence, with the action, into this file: it proves the decision to whoever has the keys",
      valueHint: "file",
    },
  },
  run: ({ args }) =>
    runSession(args, async ({ client, say }) => {
      const { home, context } = partsOf(client);
      const told = await readStory(await context(), home, args.rid);
      const { story, evidence, doubt } = told;
      if (args.save !== undefined && evidence) {
        await replaceOctets(args.save, utf8(`${JSON.stringify(evidence)}\n`));
      }
      const approvers = await client.approvers();
      const names = new Map(approvers.map(({ approver, name }) => [approver, name]));
      const lines = [sayStory(story, names), ...sayDoubt(doubt)];
      say(lines.join("\n"), doubt ? { ...story, doubt: doubt.code } : story);
      if (!doubt) return exitCodes.ok;
      return doubt.isForged ? exitCodes.integrity_mismatch : exitCodes.unreachable;
    }),
});

function sayDoubt(doubt: ReadStory["doubt"]): string[] {
  if (!doubt) return [];
  const code = visible(doubt.code);
  if (doubt.isForged) return [`What the broker gave as evidence proves nothing (${code}).`];
  return [`What people did is not told: the broker gave no evidence (${code}).`];
}
