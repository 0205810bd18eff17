import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { type FileHandle, lstat, readlink } from "node:fs/promises";
import { fromBase64url, toBase64url } from "@countersign/shared";
import * as z from "zod/mini";
import { readContent } from "../executors/content.js";
import {
  entryOf,
  type Name,
  namesIn,
  openChildDirectory,
  openChildFile,
} from "../executors/directory.js";
import { ExecutionError } from "../executors/execution-error.js";
import { temporaryName } from "../executors/virtual-path.js";
import { isErrno } from "../home/durable-file.js";

const maxEntries = 100_000;
const maxKeptFileBytes = 64 * 1024 * 1024;
const maxKeptBytes = 1024 * 1024 * 1024;

const owned = { mode: z.int(), uid: z.int(), gid: z.int() };

/** One entry as it was; `path` is empty for the captured entry itself, and its names are base64url of their octets. */
const entry = z.discriminatedUnion("kind", [
  z.strictObject({ path: z.string(), kind: z.literal("absent") }),
  z.strictObject({ path: z.string(), kind: z.literal("folder"), ...owned }),
  z.strictObject({
    path: z.string(),
    kind: z.literal("file"),
    ...owned,
    sha256: z.string(),
    /** In the shadow repository, where it was kept there. */
    oid: z.optional(z.string()),
  }),
  z.strictObject({ path: z.string(), kind: z.literal("link"), target: z.string() }),
]);
export type Entry = z.infer<typeof entry>;

export const captured = z.strictObject({
  entries: z.array(entry),
  /** Temporary files in the folder that the entry is in. */
  beside: z.array(z.string()),
});
export type Captured = z.infer<typeof captured>;

/** Keeps octets. @returns where */
export type Keep = (bytes: Uint8Array) => Promise<string>;

/**
 * What an entry is, with all below it, each folder before what is in it and names in byte order: the same list for the
 * same tree. Modes and owners count; times, extended attributes and which names are one file do not.
 * @throws ExecutionError `not_capturable` for a device, pipe or socket; `too_large`
 */
export async function capture(parent: FileHandle, name: Name, keep?: Keep): Promise<Captured> {
  const entries: Entry[] = [];
  const budget = { bytes: maxKeptBytes };

  async function add(directory: FileHandle, child: Name, path: string): Promise<void> {
    if (entries.length === maxEntries) throw new ExecutionError("too_large");
    const found = await statOf(directory, child);
    if (!found) {
      entries.push({ path, kind: "absent" });
    } else if (found.isDirectory()) {
      await addFolder(directory, child, path);
    } else if (found.isFile()) {
      await addFile(directory, child, path);
    } else if (found.isSymbolicLink()) {
      const target = await readlink(entryOf(directory, child), { encoding: "buffer" });
      entries.push({ path, kind: "link", target: toBase64url(new Uint8Array(target)) });
    } else throw new ExecutionError("not_capturable");
  }

  async function addFolder(directory: FileHandle, child: Name, path: string): Promise<void> {
    const folder = await openChildDirectory(directory, child);
    try {
      entries.push({ path, kind: "folder", ...ownedBy(await folder.stat()) });
      const names = await namesIn(folder);
      for (const inner of names.sort(Buffer.compare)) {
        await add(folder, inner, path === "" ? encodeName(inner) : `${path}/${encodeName(inner)}`);
      }
    } finally {
      await folder.close();
    }
  }

  async function addFile(directory: FileHandle, child: Name, path: string): Promise<void> {
    const file = await openChildFile(directory, child);
    try {
      const { bytes, sha256 } = await readContent(file, Math.min(maxKeptFileBytes, budget.bytes));
      budget.bytes -= bytes.length;
      const kept = keep ? { oid: await keep(bytes) } : {};
      entries.push({ path, kind: "file", ...ownedBy(await file.stat()), sha256, ...kept });
    } finally {
      await file.close();
    }
  }

  const beside = await temporariesIn(parent);
  await add(parent, name, "");
  return { entries, beside };
}

export const temporariesIn = async (directory: FileHandle): Promise<string[]> =>
  (await namesIn(directory)).map((name) => name.toString()).filter((n) => temporaryName.test(n));

/** Tells two captured trees apart, wherever their content was kept. */
export function fingerprint(places: readonly Captured[]): string {
  const digest = createHash("sha256");
  for (const { entries } of places) {
    digest.update(`${entries.length}\n`);
    for (const { ...seen } of entries) {
      if ("oid" in seen) delete seen.oid;
      digest.update(`${JSON.stringify(seen, Object.keys(seen).sort())}\n`);
    }
  }
  return digest.digest("base64url");
}

const encodeName = (name: Buffer): string => toBase64url(new Uint8Array(name));
export const decodeName = (name: string): Buffer => Buffer.from(fromBase64url(name));

const ownedBy = ({ mode, uid, gid }: Stats) => ({ mode: mode & 0o7777, uid, gid });

export async function statOf(parent: FileHandle, name: Name): Promise<Stats | undefined> {
  try {
    return await lstat(entryOf(parent, name));
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}
