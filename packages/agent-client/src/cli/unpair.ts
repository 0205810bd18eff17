import { visible } from "@countersign/shared";
import { defineCommand } from "citty";
import { exitCodes } from "./exit-codes.js";
import { commonArgs, runSession } from "./session.js";

export const unpair = defineCommand({
  meta: { name: "unpair", description: "End the pairing with an approver; without one, list them" },
  args: {
    ...commonArgs,
    approver: { type: "positional", required: false, description: "Id of the approver" },
  },
  run: ({ args }) =>
    runSession(args, async ({ client, say }) => {
      const { approver } = args;
      if (approver === undefined) {
        const approvers = await client.approvers();
        const lines = approvers.map((paired) => `${paired.approver}  ${visible(paired.name)}`);
        if (lines.length > 0) lines.push("To end a pairing: countersign unpair <id>");
        say(lines.join("\n") || "No approver is paired.", { approvers });
        return exitCodes.ok;
      }
      const { brokerTold } = await client.unpair(approver);
      const rest = brokerTold ? "" : " The broker could not be told; that changes nothing here.";
      say(`Unpaired.${rest}`, { status: "unpaired", approver, brokerTold });
      return exitCodes.ok;
    }),
});
