import { createHash, type Hash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { canonicalBytes, toBase64url } from "@countersign/shared";
import { contentSha256, requireAbsolute } from "./file.js";

/** A person cannot oversee more, and a check just before the effect must end. */
const maxEntries = 100_000;

const separator = Buffer.from("/");

/**
 * Kind `tree`: SHA-256 over one line for each entry below a directory, `JCS [type, path, size, sha256]` and a
 * line feed, entries of a directory in byte order of their names, each directory before what is in it. `path` is
 * base64url of the relative path's octets (names need not be UTF-8), `type` is `directory`, `file`, `link` or
 * `other`; `size` and `sha256` are of a file's content or a link's target, and 0 and "" otherwise.
 * Links are never followed, the directory itself included. Modes, owners and times do not count.
 */
export async function treeSha256(subject: string): Promise<string> {
  requireAbsolute(subject);
  if (!(await lstat(subject)).isDirectory()) throw new Error("the subject is not a directory");
  return (await measureDirectory(subject)).sha256;
}

/** What is below a directory: `sha256` as above, and how much it is. */
export interface DirectoryMeasure {
  sha256: string;
  entries: number;
  files: number;
  bytes: number;
}

/** @param directory also `/proc/self/fd/<fd>`, for one that is open */
export async function measureDirectory(directory: string): Promise<DirectoryMeasure> {
  const digest = createHash("sha256");
  const count = { entries: 0, files: 0, bytes: 0 };
  await addDirectory(Buffer.from(directory), Buffer.alloc(0), digest, count);
  return { sha256: digest.digest("base64url"), ...count };
}

async function addDirectory(
  directory: Buffer,
  relative: Buffer,
  digest: Hash,
  count: Omit<DirectoryMeasure, "sha256">,
): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true, encoding: "buffer" });
  entries.sort((a, b) => Buffer.compare(a.name, b.name));
  for (const entry of entries) {
    if (count.entries++ === maxEntries) throw new Error("the tree has too many entries");
    const absolute = Buffer.concat([directory, separator, entry.name]);
    const path =
      relative.length === 0 ? entry.name : Buffer.concat([relative, separator, entry.name]);
    if (entry.isDirectory()) {
      addLine(digest, "directory", path, 0, "");
      await addDirectory(absolute, path, digest, count);
    } else if (entry.isFile()) {
      const { sha256, size } = await withoutFollowing(absolute);
      count.files++;
      count.bytes += size;
      addLine(digest, "file", path, size, sha256);
    } else if (entry.isSymbolicLink()) {
      const target = await readlink(absolute, { encoding: "buffer" });
      const sha256 = createHash("sha256").update(target).digest("base64url");
      addLine(digest, "link", path, target.length, sha256);
    } else {
      addLine(digest, "other", path, 0, "");
    }
  }
}

/** O_NOFOLLOW: what was a file a moment ago may be a link now. */
async function withoutFollowing(path: Buffer) {
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const file = await open(path, flags);
  try {
    return await contentSha256(file);
  } finally {
    await file.close();
  }
}

function addLine(digest: Hash, type: string, path: Buffer, size: number, sha256: string): void {
  digest.update(canonicalBytes([type, toBase64url(path), size, sha256])).update("\n");
}
