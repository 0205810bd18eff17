import { defineCommand } from "citty";
import { exitCodes } from "../exit-codes.js";
import { mirrorLog } from "./mirror-log.js";
import { jsonArg, ownBroker, runAudit } from "./run.js";
import { openSource } from "./source.js";
import { readTrust, trustArgs } from "./trust.js";

export const mirror = defineCommand({
  meta: {
    name: "mirror",
    description: `Copy the public log into a folder, verified, from where the last copy ended.
Run it from cron, on another machine than the broker's, into storage that forgets nothing`,
  },
  args: {
    directory: { type: "positional", required: true, description: "Folder of the mirror" },
    from: { type: "string", description: "URL of the broker, or of another mirror" },
    home: trustArgs.home,
    "log-key": trustArgs["log-key"],
    ...jsonArg,
  },
  run: ({ args }) =>
    runAudit(args, async ({ say }) => {
      const { logKey } = await readTrust(args);
      const source = openSource(args.from ?? (await ownBroker(args.home)));
      const { from, head } = await mirrorLog(source, args.directory, logKey);
      const { size, root } = head;
      say(`${size} entries, ${size - from} of them new. Root ${root}.`, {
        status: "mirrored",
        from,
        size,
        root,
      });
      return exitCodes.ok;
    }),
});
