import type { Bytes } from "../bytes.js";
import { fromBase64url } from "../bytes.js";
import { ProtocolError } from "../errors.js";
import { type LeafRecord, leafEntry } from "../leaf.js";
import { type Checkpoint, verifyCheckpoint } from "./checkpoint.js";
import { fromBase64, toBase64 } from "./note.js";
import { leafHash, verifyInclusion } from "./tree.js";

const header = "c2sp.org/tlog-proof@v1";
/** Of a tree with 2^53 leaves. */
const maxHashes = 53;

/** That an entry stands in the log, to be verified offline. @see c2sp.org/tlog-proof */
export interface LogProof {
  index: number;
  hashes: readonly Bytes[];
  /** The signed checkpoint. */
  checkpoint: string;
}

export const logProofText = ({ index, hashes, checkpoint }: LogProof): string =>
  `${[header, `index ${index}`, ...hashes.map(toBase64)].join("\n")}\n\n${checkpoint}`;

/** @throws ProtocolError `log_invalid` */
export function parseLogProof(text: string): LogProof {
  const at = text.indexOf("\n\n");
  const [first, ...lines] = text.slice(0, Math.max(at, 0)).split("\n");
  // Extra data means nothing in this protocol, and nothing vouches for it.
  const [indexLine = "", ...hashLines] = lines[0]?.startsWith("extra ") ? lines.slice(1) : lines;
  const index = /^index (0|[1-9]\d{0,15})$/.exec(indexLine)?.[1];
  const hashes = hashLines.slice(0, maxHashes + 1).map(fromBase64);
  if (first !== header || index === undefined || hashes.length > maxHashes) {
    throw new ProtocolError("log_invalid");
  }
  return { index: Number(index), hashes, checkpoint: text.slice(at + 2) };
}

/**
 * That a record's entry is in the log, by nothing but the proof and the log's key.
 * @returns the checkpoint that it is under
 * @throws ProtocolError `log_invalid`
 */
export async function verifyLogged(
  record: LeafRecord,
  proof: string,
  vkey: string,
): Promise<Checkpoint> {
  const { index, hashes, checkpoint } = parseLogProof(proof);
  const tree = await verifyCheckpoint(checkpoint, vkey);
  const leaf = leafHash(fromBase64url(leafEntry(record)));
  const root = fromBase64url(tree.root);
  if (!verifyInclusion(leaf, index, { size: tree.size, root }, hashes)) {
    throw new ProtocolError("log_invalid");
  }
  return tree;
}
