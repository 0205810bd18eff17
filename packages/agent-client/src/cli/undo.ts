import { defineCommand } from "citty";
import { exitCodes } from "./exit-codes.js";
import { commonArgs, runSession } from "./session.js";

export const undo = defineCommand({
  meta: { name: "undo", description: "Take back what an approved action did, as its plan said" },
  args: {
    ...commonArgs,
    rid: { type: "positional", required: true, description: "Id of the request" },
  },
  run: ({ args }) =>
    runSession(args, async ({ client, say }) => {
      const { n } = await client.undo(args.rid);
      say(`Taken back. Outcome ${n}: rolled_back.`, { status: "undone", rid: args.rid, n });
      return exitCodes.ok;
    }),
});
