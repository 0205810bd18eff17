import type { Stats } from "node:fs";
import { type FileHandle, link, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Json, parseStrict, randomId, utf8 } from "@countersign/shared";
import { ClientError } from "../errors.js";

/** Makes a directory that only this user can look into, or refuses one that others can. */
export async function openPrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  refuseShared(path, await stat(path));
}

/** Windows has no such mode bits; there the user's profile directory is what keeps others out. */
function refuseShared(path: string, { mode }: Stats): void {
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new ClientError("home_unsafe", { detail: path });
  }
}

/** Replaces a file so that a crash at any moment leaves the old one or the new one, whole. */
export async function replaceFile(path: string, content: unknown): Promise<void> {
  const temporary = await writeTemporary(path, content);
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** As {@link replaceFile}, for octets that are no secret. */
export async function replaceOctets(path: string, octets: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rename(await writeTemporaryOctets(path, octets, 0o644), path);
  await syncDirectory(dirname(path));
}

/**
 * Creates a file that nobody else has created: whole at the moment it appears, durable when this resolves.
 * `link` and not `open("wx")`, because another process must never read half of it.
 * @returns false when there is one already
 */
export async function createExclusive(path: string, content: unknown): Promise<boolean> {
  const temporary = await writeTemporary(path, content);
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
    await syncDirectory(dirname(path));
  }
}

/** @returns false when it was not there */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await rm(path);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    throw error;
  }
  await syncDirectory(dirname(path));
  return true;
}

/**
 * @returns undefined when there is none
 * @throws ClientError `home_unsafe` when others can read it, `home_corrupt` when it is not strict JSON
 */
export async function readPrivateJson(path: string): Promise<Json | undefined> {
  const bytes = await readPrivate(path);
  if (bytes === undefined) return undefined;
  try {
    return parseStrict(bytes);
  } catch (cause) {
    throw new ClientError("home_corrupt", { cause, detail: path });
  }
}

/** Mode and content of one and the same file: another process may put another one there, or none, in between. */
async function readPrivate(path: string): Promise<Uint8Array | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
  try {
    refuseShared(path, await file.stat());
    return await file.readFile();
  } finally {
    await file.close();
  }
}

const writeTemporary = (path: string, content: unknown): Promise<string> =>
  writeTemporaryOctets(path, utf8(JSON.stringify(content)), 0o600);

async function writeTemporaryOctets(
  path: string,
  octets: Uint8Array,
  mode: number,
): Promise<string> {
  const temporary = join(dirname(path), `.${randomId()}.tmp`);
  const file = await open(temporary, "wx", mode);
  try {
    await file.writeFile(octets);
    await file.sync();
  } finally {
    await file.close();
  }
  return temporary;
}

/** A name is durable only once its directory is. Windows cannot open one, and needs no such call. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export const isErrno = (error: unknown, code: string): boolean =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === code;
