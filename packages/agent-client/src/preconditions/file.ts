import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { isAbsolute } from "node:path";

/** The subject is a path that means the same wherever the agent stands when it is checked again. */
export function requireAbsolute(subject: string): void {
  if (!isAbsolute(subject)) throw new Error("the subject is not an absolute path");
}

/**
 * Kind `file`: SHA-256 of a regular file's content, through one descriptor, so that type and content are of the
 * same file. A symbolic link is followed. O_NONBLOCK: opening a FIFO must not hang.
 */
export async function fileSha256(subject: string): Promise<string> {
  requireAbsolute(subject);
  const file = await open(subject, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    return (await contentSha256(file)).sha256;
  } finally {
    await file.close();
  }
}

/** @throws when the descriptor is not a regular file's */
export async function contentSha256(file: FileHandle): Promise<{ sha256: string; size: number }> {
  if (!(await file.stat()).isFile()) throw new Error("the subject is not a regular file");
  const digest = createHash("sha256");
  let size = 0;
  for await (const chunk of file.createReadStream({ autoClose: false, start: 0 })) {
    digest.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { sha256: digest.digest("base64url"), size };
}
