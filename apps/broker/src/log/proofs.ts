import { inclusionProof, logProofText, tileHashReader } from "@countersign/shared";
import type { Database } from "../db/client.js";
import type { LogKey } from "../domain/ports.js";
import { currentCheckpoint } from "./checkpoint.js";
import { readTile } from "./tiles.js";

/**
 * Proofs that these leaves are under the current checkpoint, all of them under the same.
 * @param indices places in the tree, read before this call: the head of now covers them
 */
export async function proveLeaves(
  db: Database,
  key: LogKey,
  indices: readonly number[],
): Promise<string[]> {
  const { size, note } = await currentCheckpoint(db, key);
  const read = tileHashReader(size, (path) => readTile(db, path));
  return Promise.all(
    indices.map(async (index) => {
      const hashes = await inclusionProof(read, index, size);
      return logProofText({ index, hashes, checkpoint: note });
    }),
  );
}
