import { defineCommand } from "citty";
import { describe } from "./describe.js";
import { exitCodeOf } from "./exit-codes.js";
import { commonArgs, runSession } from "./session.js";

/**
 * The command cannot see what is done after it ends: an approval that it handed out is therefore used, and its
 * outcome unknown, until `countersign resolve` says what came of it.
 */
export const wait = defineCommand({
  meta: {
    name: "wait",
    description:
      "Wait for the answer. Exit code 0 uses the approval up: do it now, then tell by `resolve`. Ctrl-C takes the request back",
  },
  args: {
    ...commonArgs,
    rid: { type: "positional", required: true, description: "Id of the request" },
  },
  run: ({ args }) =>
    runSession(args, async ({ client, signal, say }) => {
      const waited = await client.resume(args.rid, { signal });
      const answer = waited.status === "approved" ? await client.claim(args.rid) : waited;
      say(describe(answer), answer);
      return exitCodeOf(answer);
    }),
});
