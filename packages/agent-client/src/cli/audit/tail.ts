import { type Checkpoint, tileWidth, toBase64url } from "@countersign/shared";
import { defineCommand } from "citty";
import { systemClock } from "../../clock.js";
import { pause } from "../../http/retry.js";
import { exitCodes } from "../exit-codes.js";
import { jsonArg, type Output, ownBroker, runAudit } from "./run.js";
import { openSource } from "./source.js";
import { readTrust, trustArgs } from "./trust.js";
import { LogFault, openVerifiedLog, readHead, type VerifiedLog } from "./verified-log.js";
import { isConsistent } from "./verify-log.js";

const everyMs = 1_000;

export const tail = defineCommand({
  meta: {
    name: "tail",
    description: `Follow the public log: each entry as it comes under a checkpoint that continues the last one.
Ends with Ctrl-C (exit code 0), or when the log contradicts itself (15)`,
  },
  args: {
    log: {
      type: "positional",
      required: false,
      description: "URL of a broker or of a log, or folder of a mirror. Default: the paired broker",
    },
    home: trustArgs.home,
    "log-key": trustArgs["log-key"],
    ...jsonArg,
  },
  run: ({ args }) =>
    runAudit(args, async ({ say, signal }) => {
      const { logKey } = await readTrust(args);
      const source = openSource(args.log ?? (await ownBroker(args.home)), systemClock);
      let last: Checkpoint | undefined;
      while (!signal.aborted) {
        const log = openVerifiedLog(source, await readHead(source, logKey));
        if (last?.note !== log.head.note) {
          await requireNext(last, log);
          await sayNew(log, last?.size ?? log.head.size, say);
          last = log.head;
        }
        await pause(everyMs, signal);
      }
      return exitCodes.ok;
    }),
});

async function requireNext(last: Checkpoint | undefined, log: VerifiedLog): Promise<void> {
  const { head, fetchTile } = log;
  if (last && head.size < last.size) {
    throw new LogFault("rolled_back", `it had ${last.size} entries, now it has ${head.size}`);
  }
  if (last && !(await isConsistent(last, head, fetchTile))) {
    throw new LogFault("forked", `its first ${last.size} entries are not what they were`);
  }
  await log.requireRoot();
}

async function sayNew(log: VerifiedLog, from: number, say: Output["say"]): Promise<void> {
  const { size, root } = log.head;
  for (let index = from; index < size; ) {
    const bundle = Math.floor(index / tileWidth);
    for (const entry of (await log.entries(bundle)).slice(index % tileWidth)) {
      const text = toBase64url(entry);
      say(`${index}  ${text}`, { index, entry: text });
      index += 1;
    }
  }
  say(`checkpoint of ${size} entries, root ${root}`, { size, root });
}
