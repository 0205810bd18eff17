import {
  type Checkpoint,
  ProtocolError,
  requireConsistent,
  type Tree,
  verifyCheckpoint,
} from "@countersign/shared";
import { CallError, callForBytes } from "../api/call.js";
import { getSite } from "../api/endpoints.js";
import { readRecord, writeRecordIf } from "../keys/database.js";

// A chunk of its own: whoever only looks at the inbox does not load it.

/** What this phone knows of a server's log. Its key is the one that was shown first, and pairings carry it. */
interface KnownLog {
  issuer: string;
  key: string;
  checkpoint?: Checkpoint;
}

export type LogView =
  | { kind: "followed"; tree: Tree }
  /** Two signed notes that cannot both be of one log; or one that its key has not signed. */
  | { kind: "contradicted"; known: string; shown: string }
  | { kind: "withheld" };

/** The key of this server's log, kept from the first time on. @throws CallError */
export async function logKeyOf(issuer: string): Promise<string> {
  const known = await readRecord<KnownLog>("logs", issuer);
  if (known) return known.key;
  const first: KnownLog = { issuer, key: (await getSite()).log_key };
  await writeRecordIf<KnownLog>("logs", issuer, first, (stored) => !stored);
  return (await readRecord<KnownLog>("logs", issuer))?.key ?? first.key;
}

/** The log as it is now, if it begins with all that this phone saw of it; then this is what it saw. */
export async function lookAtLog(issuer: string): Promise<LogView> {
  let shown = "";
  try {
    const key = await logKeyOf(issuer);
    const before = (await readRecord<KnownLog>("logs", issuer))?.checkpoint;
    shown = new TextDecoder().decode(await callForBytes("/log/checkpoint"));
    const next = await verifyCheckpoint(shown, key).catch(() => undefined);
    if (!next) return { kind: "contradicted", known: before?.note ?? key, shown };
    // Shorter than before it was asked: rolled back.
    const contradicts = before && (next.size < before.size || !(await continues(before, next)));
    if (contradicts) return { kind: "contradicted", known: before.note, shown };
    return await remember({ issuer, key, checkpoint: next });
  } catch (error) {
    if (error instanceof CallError) return { kind: "withheld" };
    if (error instanceof ProtocolError) return { kind: "contradicted", known: "", shown };
    throw error;
  }
}

/** Another tab may have looked meanwhile: whichever is the longer has to continue the other, and stays. */
async function remember(given: KnownLog & { checkpoint: Checkpoint }): Promise<LogView> {
  const { issuer, checkpoint } = given;
  const { size, root, note } = checkpoint;
  for (;;) {
    const other = (await readRecord<KnownLog>("logs", issuer))?.checkpoint;
    if (other && !(await continues(other, checkpoint))) {
      return { kind: "contradicted", known: other.note, shown: note };
    }
    // Nothing is written over but what it was compared with.
    const isCompared = (stored: KnownLog | undefined) => stored?.checkpoint?.note === other?.note;
    if (
      (other && other.size >= size) ||
      (await writeRecordIf<KnownLog>("logs", issuer, given, isCompared))
    ) {
      return { kind: "followed", tree: { size, root } };
    }
  }
}

async function continues(one: Checkpoint, other: Checkpoint): Promise<boolean> {
  try {
    await requireConsistent(one, other, (path) => callForBytes(`/log/${path}`));
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}
