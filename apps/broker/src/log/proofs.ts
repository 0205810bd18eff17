import {
  inclusionProof,
  logProofText,
  signCheckpoint,
  type Tree,
  toBase64url,
  treeRoot,
} from "@countersign/shared";
import type { Broker } from "../broker.js";
import { type LogHead, readHead } from "../db/log.js";

/** Whether this log once had this very tree. */
export async function isOwnTree(
  { db, tree }: Pick<Broker, "db" | "tree">,
  { size, root }: Tree,
): Promise<boolean> {
  const head = await readHead(db);
  if (size > head.size) return false;
  return toBase64url(await treeRoot(await tree.under(head), size)) === root;
}

/**
 * Proofs that these leaves are under a checkpoint, all of them under the same.
 * @param head the log's, at a moment when it covered all of `indices`
 */
export async function proveLeaves(
  { tree, logKey }: Pick<Broker, "tree" | "logKey">,
  head: LogHead,
  indices: readonly number[],
): Promise<string[]> {
  const { size } = head;
  const note = await signCheckpoint(head, logKey);
  const read = await tree.under(head);
  return Promise.all(
    indices.map(async (index) => {
      const hashes = await inclusionProof(read, index, size);
      return logProofText({ index, hashes, checkpoint: note });
    }),
  );
}
