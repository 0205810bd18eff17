import { readFile, stat } from "node:fs/promises";
import { type Checkpoint, ProtocolError, visible } from "@countersign/shared";
import { defineCommand } from "citty";
import { openLogMemory } from "../../home/log-memory.js";
import { defaultHome } from "../environment.js";
import { exitCodes } from "../exit-codes.js";
import { UsageError } from "../session.js";
import { readCopiedNotes } from "./mirror-log.js";
import { jsonArg, type Output, ownBroker, runAudit, sayFault } from "./run.js";
import { folderSource, openSource } from "./source.js";
import { readTrust, type Trust, type TrustArgs, trustArgs } from "./trust.js";
import { openVerifiedLog, readHead } from "./verified-log.js";
import { type EvidenceReport, verifyEvidenceFile } from "./verify-evidence.js";
import { type LogReport, verifyWholeLog } from "./verify-log.js";

interface VerifyArgs extends TrustArgs {
  against?: string | undefined;
}

export const verify = defineCommand({
  meta: {
    name: "verify",
    description: `Verify the whole public log, or files with evidence, and say what is wrong and where.
Exit codes: 0 sound, 2 wrong use, 13 could not be read, 15 tampered with`,
  },
  args: {
    what: {
      type: "positional",
      required: false,
      description:
        "URL of a broker or of a log, folder of a mirror, or files with evidence. Default: the log of the paired broker",
    },
    ...trustArgs,
    against: {
      type: "string",
      description: "Folder of a mirror that was made before: the log has to continue it",
    },
    ...jsonArg,
  },
  run: ({ args }) =>
    runAudit(args, async (output) => {
      const given = args._.length > 0 ? args._ : [await ownBroker(args.home)];
      const trust = await readTrust(args);
      const codes: number[] = [];
      for (const what of given) codes.push(await verifyOne(what, args, trust, output));
      return Math.max(...codes);
    }),
});

async function verifyOne(
  what: string,
  args: VerifyArgs,
  trust: Trust,
  { say }: Output,
): Promise<number> {
  if (await isFile(what)) {
    const judged = await judge(what, trust);
    say(sayEvidence(what, judged), { file: what, ...judged });
    return judged.status === "sound" ? exitCodes.ok : exitCodes.integrity_mismatch;
  }
  const report = await verifyLog(what, args, trust);
  const { head, known, faults } = report;
  const status = faults.length === 0 ? "sound" : "integrity_mismatch";
  const tree = head && { size: head.size, root: head.root };
  say(sayLog(what, report), { log: what, status, ...tree, known, faults });
  return faults.length === 0 ? exitCodes.ok : exitCodes.integrity_mismatch;
}

async function isFile(what: string): Promise<boolean> {
  if (/^https?:/.test(what)) return false;
  const found = await stat(what).catch(() => undefined);
  if (!found) throw new UsageError(`There is no such file or folder: ${what}`);
  return found.isFile();
}

type Judged =
  | ({ status: "sound" } & EvidenceReport)
  | { status: "integrity_mismatch"; code: string; about?: string };

async function judge(path: string, trust: Trust): Promise<Judged> {
  try {
    return { status: "sound", ...(await verifyEvidenceFile(await readFile(path), trust)) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const { code, reason } = error;
    const about = reason === undefined ? {} : { about: reason };
    return { status: "integrity_mismatch", code, ...about };
  }
}

function sayEvidence(path: string, judged: Judged): string {
  if (judged.status !== "sound") {
    const about = judged.about === undefined ? "" : `, ${judged.about}`;
    return visible(`${path}: proves nothing (${judged.code}${about}).`);
  }
  const { rid, decision, by, logSize, hasAction } = judged;
  return [
    visible(`${path}: ${decision}, request ${rid}.`),
    ...by.map(({ approver, rootKey, reason }) => {
      const said = reason === undefined ? "" : `, who says: ${reason}`;
      return `  by ${approver}, root key ${rootKey}${visible(said)}`;
    }),
    `  under the log's checkpoint of ${logSize} entries`,
    hasAction
      ? "  what was signed is what this action looks like on a phone"
      : "  without the action: what was shown cannot be compared",
  ].join("\n");
}

async function verifyLog(what: string, args: VerifyArgs, { logKey }: Trust): Promise<LogReport> {
  const source = openSource(what);
  const mirror = args.against === undefined ? undefined : await openMirror(args.against, logKey);
  const isFolder = source.name === what;
  const copied = isFolder ? await readCopiedNotes(what, logKey) : [];
  // A mirror whose last run was cut short is behind its own notes, and reads as rolled back until it is run again.
  const older = args.against === undefined ? [] : await readCopiedNotes(args.against, logKey);
  const known = [...copied, ...older, ...(await rememberedNotes(args, logKey))];
  return verifyWholeLog(source, logKey, known, mirror);
}

async function openMirror(directory: string, logKey: string) {
  const source = folderSource(directory);
  return openVerifiedLog(source, await readHead(source, logKey));
}

/** What this agent saw of the log, where the log is the one that it pinned. */
async function rememberedNotes(args: VerifyArgs, logKey: string): Promise<Checkpoint[]> {
  if (args["log-key"] !== undefined) return [];
  return (await openLogMemory(args.home ?? defaultHome())).checkpoints(logKey);
}

function sayLog(what: string, { head, known, faults }: LogReport): string {
  if (faults.length > 0) return [`${visible(what)}:`, ...faults.map(sayFault)].join("\n");
  return visible(
    `${what}: sound. ${head?.size} entries, root ${head?.root}; it continues ${known} checkpoints seen before.`,
  );
}
