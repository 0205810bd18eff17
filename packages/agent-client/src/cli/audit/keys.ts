import { ProtocolError, verifyChain, visible } from "@countersign/shared";
import { defineCommand } from "citty";
import { partsOf } from "../../client/parts.js";
import { ClientError } from "../../errors.js";
import { logKeyOf, type Pin } from "../../home/pins.js";
import { exitCodes } from "../exit-codes.js";
import { commonArgs, runSession } from "../session.js";
import { rootKeyOf } from "./trust.js";

export const keys = defineCommand({
  meta: {
    name: "keys",
    description:
      "The keys that an auditor needs, as this agent pinned them: the log's, and the root passkey of each approver",
  },
  args: commonArgs,
  run: ({ args }) =>
    runSession(args, async ({ client, say }) => {
      const { broker, pins, site } = await partsOf(client).context();
      const pinned = await pins.all();
      const rootOf = async (pin: Pin): Promise<string> => {
        const answer = await broker.chain(pin.approver);
        if (!answer.ok) throw new ClientError("unreachable", { detail: answer.code });
        // A chain that goes through the place that this agent saw begins with the key that it began with then.
        const expected = { site, approver: pin.approver, seen: [pin.chain] };
        try {
          return rootKeyOf(await verifyChain(answer.value.chain, expected));
        } catch (cause) {
          if (!(cause instanceof ProtocolError)) throw cause;
          throw new ClientError("keys_changed", { cause, detail: pin.approver });
        }
      };
      const approvers = await Promise.all(
        pinned.map(async (pin) => ({
          approver: pin.approver,
          name: pin.name,
          key: await rootOf(pin),
        })),
      );
      const logKey = logKeyOf(pinned);
      const lines = approvers.map(
        ({ approver, name, key }) => `${key}  ${visible(name)} (${approver})`,
      );
      say([logKey, ...lines].join("\n"), { log_key: logKey, approvers });
      return exitCodes.ok;
    }),
});
