import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir } from "node:fs/promises";
import { isErrno } from "../home/durable-file.js";
import { ExecutionError } from "./execution-error.js";

/**
 * The path of an entry of an open directory. What follows the descriptor is one name, so nothing but that entry's
 * own kind can lead anywhere else, and O_NOFOLLOW (or lstat, unlink, rename, which follow nothing) settles that.
 */
export const entryOf = (directory: FileHandle, name: Name): string | Buffer =>
  typeof name === "string"
    ? `${pathOf(directory)}/${name}`
    : Buffer.concat([Buffer.from(`${pathOf(directory)}/`), name]);

/** As it was asked for (text), or as it was listed: octets that need not be text. */
export type Name = string | Buffer;

/** The names of an open directory's entries, in no order. */
export const namesIn = (directory: FileHandle): Promise<Buffer[]> =>
  readdir(pathOf(directory), { encoding: "buffer" });

/** An open directory as a path, for what only reads it. */
export const pathOf = (directory: FileHandle): string => `/proc/self/fd/${directory.fd}`;

/** @throws ExecutionError `not_found`, `not_a_folder` for anything else, links included */
export async function openChildDirectory(parent: FileHandle, name: Name): Promise<FileHandle> {
  await requireExactName(parent, name);
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  return open(entryOf(parent, name), flags).catch((cause) => {
    throw new ExecutionError(isErrno(cause, "ENOENT") ? "not_found" : "not_a_folder", { cause });
  });
}

/**
 * O_NONBLOCK: opening a FIFO must not hang.
 * @throws ExecutionError `not_found`, `not_a_file` for anything else, links included
 */
export async function openChildFile(parent: FileHandle, name: Name): Promise<FileHandle> {
  await requireExactName(parent, name);
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(entryOf(parent, name), flags).catch((cause) => {
    throw new ExecutionError(isErrno(cause, "ENOENT") ? "not_found" : "not_a_file", { cause });
  });
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new ExecutionError("not_a_file");
}

export type Kind = "absent" | "file" | "folder" | "other";

export async function kindOf(parent: FileHandle, name: string): Promise<Kind> {
  await requireExactName(parent, name);
  try {
    const entry = await lstat(entryOf(parent, name));
    if (entry.isFile()) return "file";
    return entry.isDirectory() ? "folder" : "other";
  } catch (error) {
    if (isErrno(error, "ENOENT")) return "absent";
    throw error;
  }
}

/**
 * Where a directory folds case (or composes characters), `SECRETS` opens `secrets`, and a rule about `secrets` would
 * not see it. Such a directory shows itself by answering to a name in the other case; there, only the name that is
 * listed is the file's.
 * @throws ExecutionError `other_case`
 */
async function requireExactName(parent: FileHandle, name: Name): Promise<void> {
  if (typeof name !== "string") return;
  const other = swapCase(name);
  if (other === name) return;
  const [asked, folded] = await Promise.all([inodeOf(parent, name), inodeOf(parent, other)]);
  if (asked === undefined || asked !== folded) return;
  const listed = await namesIn(parent);
  if (listed.filter((entry) => [name, other].includes(entry.toString())).length === 2) return;
  if (!listed.some((entry) => entry.toString() === name)) throw new ExecutionError("other_case");
}

const swapCase = (name: string): string =>
  Array.from(name, (character) => {
    const upper = character.toUpperCase();
    return upper === character ? character.toLowerCase() : upper;
  }).join("");

async function inodeOf(parent: FileHandle, name: string): Promise<bigint | undefined> {
  try {
    return (await lstat(entryOf(parent, name), { bigint: true })).ino;
  } catch {
    return undefined;
  }
}
