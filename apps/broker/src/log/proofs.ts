import {
  inclusionProof,
  logProofText,
  signCheckpoint,
  type Tree,
  tileHashReader,
  toBase64url,
  treeRoot,
} from "@countersign/shared";
import type { Database } from "../db/client.js";
import { type LogHead, readHead } from "../db/log.js";
import type { LogKey } from "../domain/ports.js";
import { readTile } from "./tiles.js";

/** Whether this log once had this very tree. */
export async function isOwnTree(db: Database, { size, root }: Tree): Promise<boolean> {
  const head = await readHead(db);
  if (size > head.size) return false;
  const read = tileHashReader(size, (path) => readTile(db, path));
  return toBase64url(await treeRoot(read, size)) === root;
}

/**
 * Proofs that these leaves are under a checkpoint, all of them under the same.
 * @param head the log's, at a moment when it covered all of `indices`
 */
export async function proveLeaves(
  db: Database,
  key: LogKey,
  head: LogHead,
  indices: readonly number[],
): Promise<string[]> {
  const { size } = head;
  const note = await signCheckpoint(head, key);
  const read = tileHashReader(size, (path) => readTile(db, path));
  return Promise.all(
    indices.map(async (index) => {
      const hashes = await inclusionProof(read, index, size);
      return logProofText({ index, hashes, checkpoint: note });
    }),
  );
}
