import { type FileHandle, mkdir, open, readlink, rename, symlink } from "node:fs/promises";
import { fromBase64url, sha256Text } from "@countersign/shared";
import { newTemporaryName, readContent } from "../executors/content.js";
import {
  entryOf,
  type Name,
  namesIn,
  openChildDirectory,
  openChildFile,
} from "../executors/directory.js";
import { ExecutionError } from "../executors/execution-error.js";
import { removeEntry } from "../executors/remove.js";
import { type Captured, decodeName, type Entry, statOf, temporariesIn } from "./capture.js";

type FileEntry = Extract<Entry, { kind: "file" }>;

/**
 * Makes an entry, with all below it, what it was. What is as it was is not touched, so doing it again after a crash
 * does the rest.
 * @param captured with everything kept
 * @throws ExecutionError `snapshot_damaged` rather than put something else there
 */
export async function restore(
  parent: FileHandle,
  name: Name,
  { entries, beside }: Captured,
  get: (oid: string) => Promise<Uint8Array>,
): Promise<void> {
  const wanted = new Map(entries.map((entry) => [entry.path, entry]));
  const below = new Map<string, string[]>();
  for (const { path } of entries) {
    const folder = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
    if (path !== "") below.set(folder, [...(below.get(folder) ?? []), path]);
  }

  async function make(directory: FileHandle, child: Name, path: string): Promise<void> {
    const entry = wanted.get(path);
    if (!entry) throw new ExecutionError("snapshot_damaged");
    const found = await statOf(directory, child);
    switch (entry.kind) {
      case "absent":
        if (found) await removeEntry(directory, child);
        return;
      case "link":
        if (await isLink(directory, child, entry.target)) return;
        if (found) await removeEntry(directory, child);
        return symlink(Buffer.from(fromBase64url(entry.target)), entryOf(directory, child));
      case "file":
        if (found && !found.isFile()) await removeEntry(directory, child);
        return makeFile(directory, child, entry);
      case "folder":
        if (found && !found.isDirectory()) await removeEntry(directory, child);
        if (!found?.isDirectory()) await mkdir(entryOf(directory, child), 0o700);
        return fill(directory, child, entry);
    }
  }

  async function fill(
    directory: FileHandle,
    child: Name,
    entry: Extract<Entry, { kind: "folder" }>,
  ) {
    const folder = await openChildDirectory(directory, child);
    try {
      const inner = new Map(
        (below.get(entry.path) ?? []).map((path) => {
          const name = decodeName(path.slice(path.lastIndexOf("/") + 1));
          return [name.toString("hex"), { name, path }];
        }),
      );
      const { mode } = await folder.stat();
      if ((mode & 0o700) !== 0o700) await folder.chmod(0o700);
      for (const there of await namesIn(folder)) {
        if (!inner.has(there.toString("hex"))) await removeEntry(folder, there);
      }
      for (const { name, path } of inner.values()) await make(folder, name, path);
      await own(folder, entry);
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async function makeFile(directory: FileHandle, child: Name, entry: FileEntry): Promise<void> {
    if (await fixFile(directory, child, entry)) return;
    if (entry.oid === undefined) throw new ExecutionError("snapshot_damaged");
    const bytes = await get(entry.oid);
    // The shadow repository names content by SHA-1, which can be made to collide.
    if (sha256Text(bytes) !== entry.sha256) throw new ExecutionError("snapshot_damaged");
    const temporary = newTemporaryName();
    const file = await open(entryOf(directory, temporary), "wx", 0o600);
    try {
      await file.writeFile(bytes);
      await own(file, entry);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(entryOf(directory, temporary), entryOf(directory, child));
  }

  await removeTemporaries(parent, beside);
  await make(parent, name, "");
  await parent.sync();
}

/** @returns whether the file's content is there; then its mode and owner are too */
async function fixFile(parent: FileHandle, name: Name, entry: FileEntry): Promise<boolean> {
  const found = await statOf(parent, name);
  if (!found) return false;
  const file = await openChildFile(parent, name);
  try {
    const { sha256 } = await readContent(file, Number.POSITIVE_INFINITY);
    if (sha256 !== entry.sha256) return false;
    await own(file, entry);
    return true;
  } finally {
    await file.close();
  }
}

/** The owner first: changing it takes mode bits away. */
async function own(file: FileHandle, entry: { mode: number; uid: number; gid: number }) {
  const now = await file.stat();
  if (now.uid !== entry.uid || now.gid !== entry.gid) await file.chown(entry.uid, entry.gid);
  await file.chmod(entry.mode);
}

async function isLink(parent: FileHandle, name: Name, target: string): Promise<boolean> {
  const now = await readlink(entryOf(parent, name), { encoding: "buffer" }).catch(() => undefined);
  return now?.equals(fromBase64url(target)) ?? false;
}

/** What an interrupted change left beside the entry; what lay there before is somebody else's. */
async function removeTemporaries(parent: FileHandle, before: readonly string[]): Promise<void> {
  const names = await temporariesIn(parent);
  for (const name of names.filter((there) => !before.includes(there)))
    await removeEntry(parent, name);
}
