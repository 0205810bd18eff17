import { defineCommand } from "citty";
import type { Resolution } from "../client/recover.js";
import { exitCodes } from "./exit-codes.js";
import { commonArgs, runSession, UsageError } from "./session.js";

const statuses: readonly Resolution[] = ["succeeded", "failed", "rolled_back"];

export const resolve = defineCommand({
  meta: { name: "resolve", description: "Say how an execution ended whose outcome is unknown" },
  args: {
    ...commonArgs,
    rid: { type: "positional", required: true, description: "Id of the request" },
    status: { type: "positional", required: true, description: statuses.join(" | ") },
  },
  run: ({ args }) =>
    runSession(args, async ({ client, say }) => {
      const status = statuses.find((known) => known === args.status);
      if (!status) throw new UsageError(`The status is one of: ${statuses.join(", ")}`);
      const { n } = await client.resolve(args.rid, status);
      say(`Outcome ${n}: ${status}.`, { status: "resolved", rid: args.rid, n, outcome: status });
      return exitCodes.ok;
    }),
});
