import {
  type Bytes,
  consistencyProof,
  fromBase64url,
  type HashReader,
  inclusionProof,
  logProofText,
  signCheckpoint,
  type Tree,
  toBase64url,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
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
  return (await tree.under(head, (read) => rootOf(read, size, head))) === root;
}

/** The root of the tree that `head` grew from, if what is read is the tree under it. */
async function rootOf(read: HashReader, size: number, head: LogHead): Promise<string | undefined> {
  const whole = { size: head.size, root: fromBase64url(head.root) };
  const [root, proof] = await Promise.all([
    treeRoot(read, size),
    consistencyProof(read, size, head.size),
  ]);
  // The empty tree begins every tree, and no proof of it counts.
  const isSound = size === 0 || verifyConsistency({ size, root }, whole, proof);
  return isSound ? toBase64url(root) : undefined;
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
  const checkpoint = await signCheckpoint(head, logKey);
  const paths = await tree.under(head, (read) => pathsTo(read, indices, head));
  return paths.map((path) => logProofText({ ...path, checkpoint }));
}

/** Where these leaves stand, if what is read is the tree under `head`: an agent gives up what a wrong proof came with. */
async function pathsTo(
  read: HashReader,
  indices: readonly number[],
  head: LogHead,
): Promise<{ index: number; hashes: Bytes[] }[] | undefined> {
  const whole = { size: head.size, root: fromBase64url(head.root) };
  const paths = await Promise.all(
    indices.map(async (index) => {
      const [leaf, hashes] = await Promise.all([
        read(0, index),
        inclusionProof(read, index, head.size),
      ]);
      return { index, hashes, isSound: verifyInclusion(leaf, index, whole, hashes) };
    }),
  );
  return paths.every(({ isSound }) => isSound) ? paths : undefined;
}
