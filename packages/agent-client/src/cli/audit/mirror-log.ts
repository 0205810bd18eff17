import { access, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type Checkpoint,
  encodeEntries,
  sha256Text,
  tilePath,
  tileWidth,
  utf8,
  widthOfTile,
} from "@countersign/shared";
import { isErrno, replaceOctets } from "../../home/durable-file.js";
import { folderSource, type LogSource } from "./source.js";
import { LogFault, openVerifiedLog, readHead, readNote, type VerifiedLog } from "./verified-log.js";
import { isConsistent } from "./verify-log.js";

// A mirror is a folder of the log's own files, which any web server can serve as a log, and `checkpoints/<size>` with
// every note that was ever copied. A file that is there is whole, verified and never changed, but for `checkpoint`.

export interface MirrorReport {
  from: number;
  head: Checkpoint;
}

/**
 * Copies what is new. Nothing is written that is not under a checkpoint that continues all that was copied before;
 * what a crash leaves is continued by the next run.
 * @throws LogFault; a checkpoint that contradicts the mirror is kept in it, under `contradictions/`
 */
export async function mirrorLog(
  source: LogSource,
  directory: string,
  logKey: string,
): Promise<MirrorReport> {
  const own = folderSource(directory);
  const finished = await readFinished(own, logKey);
  const seen = (await readCopiedNotes(directory, logKey)).at(-1) ?? finished;
  const log = openVerifiedLog(source, await readHead(source, logKey));
  const { head } = log;
  if (seen) await requireContinued(directory, seen, log);
  await log.requireRoot();
  // Before the first tile: if this run is cut short, the next one holds the log to this very tree.
  await replaceOctets(join(directory, notePath(head)), utf8(head.note));
  await copyTiles(log, directory, finished?.size ?? 0);
  await replaceOctets(join(directory, "checkpoint"), utf8(head.note));
  await removePartial(directory, finished?.size ?? 0, head.size);
  return { from: finished?.size ?? 0, head };
}

const notePath = ({ size }: Checkpoint): string => `checkpoints/${size}`;

async function readFinished(own: LogSource, logKey: string): Promise<Checkpoint | undefined> {
  const octets = await own.read("checkpoint");
  return octets && readNote(octets, logKey, "the mirror's checkpoint");
}

/** Every note of a mirror, the shortest tree first. */
export async function readCopiedNotes(directory: string, logKey: string): Promise<Checkpoint[]> {
  const names = await readdir(join(directory, "checkpoints")).catch((error: unknown): string[] => {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  });
  const own = folderSource(directory);
  const sizes = names.flatMap((name) => (/^\d+$/.test(name) ? Number(name) : []));
  const notes: Checkpoint[] = [];
  for (const size of sizes.sort((a, b) => a - b)) {
    const path = `checkpoints/${size}`;
    const octets = await own.read(path);
    if (octets) notes.push(await readNote(octets, logKey, `the mirror's ${path}`));
  }
  return notes;
}

async function requireContinued(
  directory: string,
  seen: Checkpoint,
  log: VerifiedLog,
): Promise<void> {
  const { head, fetchTile } = log;
  const shorter = head.size < seen.size;
  if (!shorter && (await isConsistent(seen, head, fetchTile))) return;
  const name = `${head.size}-${sha256Text(utf8(head.note))}`;
  await replaceOctets(join(directory, "contradictions", name), utf8(head.note));
  throw shorter
    ? new LogFault("rolled_back", `it had ${seen.size} entries, now it has ${head.size}`)
    : new LogFault("forked", `its first ${seen.size} entries are not those of the mirror`);
}

/** @param from entries whose tiles are all there, but for the last one of each level */
async function copyTiles(log: VerifiedLog, directory: string, from: number): Promise<void> {
  const { size } = log.head;
  for (let level = 0; widthOfTile(level, 0, size) > 0; level++) {
    const first = Math.floor(from / tileWidth ** (level + 1));
    for (let index = first; widthOfTile(level, index, size) > 0; index++) {
      const width = widthOfTile(level, index, size);
      const path = join(directory, tilePath({ level, index, width }));
      if (await exists(path)) continue;
      if (level === 0) {
        const bundle = tilePath({ level: "entries", index, width });
        const entries = await log.entries(index);
        await replaceOctets(join(directory, bundle), encodeEntries(entries));
      }
      await replaceOctets(path, await log.tile(level, index));
    }
  }
}

/** Partial tiles of the mirror's last tree that this one needs no more. */
async function removePartial(directory: string, before: number, now: number): Promise<void> {
  const needed = new Set(partialTiles(now));
  for (const path of partialTiles(before)) {
    if (!needed.has(path)) await rm(join(directory, path), { force: true });
  }
}

function partialTiles(size: number): string[] {
  const paths: string[] = [];
  for (let level = 0, atLevel = size; atLevel > 0; level++) {
    const width = atLevel % tileWidth;
    atLevel = Math.floor(atLevel / tileWidth);
    if (width === 0) continue;
    paths.push(tilePath({ level, index: atLevel, width }));
    if (level === 0) paths.push(tilePath({ level: "entries", index: atLevel, width }));
  }
  return paths;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
