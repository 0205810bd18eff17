import { createHash } from "node:crypto";
import {
  chmod,
  type FileHandle,
  lchown,
  link,
  lstat,
  open,
  rename,
  unlink,
} from "node:fs/promises";
import { randomId } from "@countersign/shared";
import { isErrno } from "../home/durable-file.js";
import { entryOf, openChildFile } from "./directory.js";
import { ExecutionError } from "./execution-error.js";

/** What one call reads or writes at most. */
export const maxFileBytes = 16 * 1024 * 1024;

/** Octets and the hash of these very octets, from one descriptor. */
export interface Content {
  bytes: Buffer;
  sha256: string;
}

/** @throws ExecutionError `too_large` */
export async function readContent(file: FileHandle, maxBytes = maxFileBytes): Promise<Content> {
  const chunks: Buffer[] = [];
  const digest = createHash("sha256");
  const { size } = await file.stat();
  for (let read = 0; ; ) {
    const room = Buffer.allocUnsafe(Math.min(Math.max(size - read, 0) + 4096, 1024 * 1024));
    const { bytesRead } = await file.read(room, 0, room.length, read);
    read += bytesRead;
    if (read > maxBytes) throw new ExecutionError("too_large");
    const chunk = room.subarray(0, bytesRead);
    digest.update(chunk);
    chunks.push(chunk);
    if (bytesRead < room.length) break;
  }
  return { bytes: Buffer.concat(chunks), sha256: digest.digest("base64url") };
}

/**
 * The content of a file as it was approved: whatever is done with it is done with these octets, so that what happens
 * to the file meanwhile changes nothing.
 * @throws ExecutionError `precondition_changed`, `not_found`, `not_a_file`, `too_large`
 */
export async function readApproved(
  parent: FileHandle,
  name: string,
  approved: string,
): Promise<Content & { file: FileHandle }> {
  const file = await openChildFile(parent, name);
  try {
    const content = await readContent(file);
    if (content.sha256 !== approved) throw new ExecutionError("precondition_changed");
    return { ...content, file };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Makes a file where there is none: whole at the moment it appears.
 * @throws ExecutionError `exists`
 */
export async function createFile(
  parent: FileHandle,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const temporary = await writeTemporary(parent, bytes, 0o666);
  try {
    await link(entryOf(parent, temporary), entryOf(parent, name));
  } catch (cause) {
    if (isErrno(cause, "EEXIST")) throw new ExecutionError("exists", { cause });
    throw cause;
  } finally {
    await unlink(entryOf(parent, temporary));
  }
  await parent.sync();
}

/**
 * Puts new content in the place of a file at once, with that file's mode and owner. The new file is ready before the
 * old one is opened, read and held to its hash: what is left between that check and the exchange is one system call.
 * @param approved hash of what the file holds now
 * @throws ExecutionError `precondition_changed`, `not_found`, `not_a_file`, `too_large`
 */
export async function replaceContent(
  parent: FileHandle,
  name: string,
  bytes: Uint8Array,
  approved: string,
): Promise<void> {
  const temporary = await writeTemporary(parent, bytes, 0o600);
  try {
    const { file } = await readApproved(parent, name, approved);
    await takeAfter(entryOf(parent, temporary), file).finally(() => file.close());
    await rename(entryOf(parent, temporary), entryOf(parent, name));
  } catch (error) {
    await unlink(entryOf(parent, temporary));
    throw error;
  }
  await parent.sync();
}

/** A name in a directory that only this call knows. */
export const newTemporaryName = (): string => `.countersign-${randomId()}.tmp`;

async function writeTemporary(
  parent: FileHandle,
  bytes: Uint8Array,
  mode: number,
): Promise<string> {
  const name = newTemporaryName();
  const file = await open(entryOf(parent, name), "wx", mode);
  try {
    await file.writeFile(bytes);
    await file.sync();
    return name;
  } catch (error) {
    await unlink(entryOf(parent, name));
    throw error;
  } finally {
    await file.close();
  }
}

/** Never the set-user-id bits: they were given to other content. */
async function takeAfter(temporary: string | Buffer, like: FileHandle): Promise<void> {
  const [{ uid, gid, mode }, own] = await Promise.all([like.stat(), lstat(temporary)]);
  if (uid !== own.uid || gid !== own.gid) await lchown(temporary, uid, gid);
  await chmod(temporary, mode & 0o777);
}
