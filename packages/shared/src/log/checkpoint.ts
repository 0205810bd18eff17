import { fromBase64url, toBase64url } from "../bytes.js";
import { ProtocolError } from "../errors.js";
import type { Tree } from "../statement.js";
import { fromBase64, type NoteKey, signNote, toBase64, verifyNote } from "./note.js";
import { consistencyProof, treeRoot } from "./proofs.js";
import { tileHashReader } from "./tiles.js";
import { emptyRoot, verifyConsistency } from "./tree.js";

/** A tree that the log's key has signed. @see c2sp.org/tlog-checkpoint */
export interface Checkpoint extends Tree {
  /** The signed note, without others' signatures: what proves it to anybody. */
  note: string;
}

/** A log's key signs its own trees only: its name is their origin. */
export async function signCheckpoint(
  tree: Tree,
  key: NoteKey & { privateKey: CryptoKey },
): Promise<string> {
  const root = toBase64(fromBase64url(tree.root));
  return signNote(`${key.name}\n${tree.size}\n${root}\n`, key);
}

/**
 * Reads a checkpoint. Extension lines are refused: this log writes none, and a note is shown to people and to models.
 * @throws ProtocolError `log_invalid` when this key has not signed it, or it is no checkpoint of this key's log
 */
export async function verifyCheckpoint(given: string, vkey: string): Promise<Checkpoint> {
  const { name, text, note } = await verifyNote(given, vkey);
  const [origin, sizeText = "", rootText = "", ...rest] = text.split("\n");
  const size = Number(sizeText);
  const root = fromBase64(rootText);
  const sound =
    origin === name &&
    /^(?:0|[1-9]\d*)$/.test(sizeText) &&
    Number.isSafeInteger(size) &&
    root.length === 32 &&
    rest.length === 1 &&
    rest[0] === "";
  if (!sound) throw new ProtocolError("log_invalid");
  return { size, root: toBase64url(root), note };
}

/**
 * Demands that one of two trees is the beginning of the other, by the tiles of the larger.
 * @throws ProtocolError `log_fork` when the larger tree begins with another one; `log_invalid` when its tiles are not
 *   those of its root, which proves nothing about it; whatever `fetchTile` throws
 */
export async function requireConsistent(
  one: Tree,
  other: Tree,
  fetchTile: (path: string) => Promise<Uint8Array>,
): Promise<void> {
  const [older, newer] = one.size <= other.size ? [one, other] : [other, one];
  if (!(await agree(older, newer, fetchTile))) throw new ProtocolError("log_fork");
}

async function agree(
  older: Tree,
  newer: Tree,
  fetchTile: (path: string) => Promise<Uint8Array>,
): Promise<boolean> {
  if (older.size === newer.size) return older.root === newer.root;
  if (older.size === 0) return older.root === toBase64url(emptyRoot());
  const read = tileHashReader(newer.size, fetchTile);
  const [root, proof] = await Promise.all([
    treeRoot(read, older.size),
    consistencyProof(read, older.size, newer.size),
  ]);
  // With the beginning that the tiles themselves show: what leads from it to the larger tree's root is that tree's own.
  const whole = { size: newer.size, root: fromBase64url(newer.root) };
  if (!verifyConsistency({ size: older.size, root }, whole, proof)) {
    throw new ProtocolError("log_invalid");
  }
  return toBase64url(root) === older.root;
}
