import { type FileHandle, link, lstat, rename, rmdir, unlink } from "node:fs/promises";
import { isErrno } from "../home/durable-file.js";
import { measureDirectory } from "../preconditions/tree.js";
import { newTemporaryName, readContent } from "./content.js";
import {
  entryOf,
  type Name,
  namesIn,
  openChildDirectory,
  openChildFile,
  pathOf,
} from "./directory.js";
import { ExecutionError } from "./execution-error.js";

/** Removes an entry and all in it. Every step goes by an open directory, so a link that appears is removed, not followed. */
export async function removeEntry(parent: FileHandle, name: Name): Promise<void> {
  const entry = await lstat(entryOf(parent, name));
  if (!entry.isDirectory()) return unlink(entryOf(parent, name));
  const directory = await openChildDirectory(parent, name);
  try {
    for (const inner of await namesIn(directory)) await removeEntry(directory, inner);
  } finally {
    await directory.close();
  }
  await rmdir(entryOf(parent, name));
}

/**
 * Takes a file or folder out of the way, and holds what was really taken to its hash: only then is it `use`d.
 * What is something else is put back.
 * @throws ExecutionError `precondition_changed`, `not_found`, `not_a_file`, `not_a_folder`
 */
export async function takeAside(
  parent: FileHandle,
  name: string,
  approved: { kind: "file" | "tree"; sha256: string },
  use: (aside: string) => Promise<void>,
): Promise<void> {
  const measure = approved.kind === "file" ? fileHash : treeHash;
  // Before, so that what is not it is not even moved; after, because what was moved may be another one.
  await requireHash(() => measure(parent, name), approved.sha256);
  const aside = newTemporaryName();
  await rename(entryOf(parent, name), entryOf(parent, aside)).catch((cause) => {
    if (isErrno(cause, "ENOENT")) throw new ExecutionError("precondition_changed", { cause });
    throw cause;
  });
  try {
    await requireHash(() => measure(parent, aside), approved.sha256);
    await use(aside);
  } catch (error) {
    await putBack(parent, aside, name, approved.kind);
    throw error;
  }
  await parent.sync();
}

async function requireHash(measure: () => Promise<string>, approved: string): Promise<void> {
  if ((await measure()) !== approved) throw new ExecutionError("precondition_changed");
}

async function fileHash(parent: FileHandle, name: string): Promise<string> {
  const file = await openChildFile(parent, name);
  return readContent(file)
    .finally(() => file.close())
    .then(({ sha256 }) => sha256);
}

async function treeHash(parent: FileHandle, name: string): Promise<string> {
  const directory = await openChildDirectory(parent, name);
  return measureDirectory(pathOf(directory))
    .finally(() => directory.close())
    .then(({ sha256 }) => sha256);
}

/** Never over something that took the name meanwhile: then it stays beside it, under its temporary name. */
async function putBack(
  parent: FileHandle,
  aside: string,
  name: string,
  kind: "file" | "tree",
): Promise<void> {
  const [from, to] = [entryOf(parent, aside), entryOf(parent, name)];
  if (kind === "tree") return rename(from, to);
  await link(from, to);
  await unlink(from);
}
