import {
  type Bytes,
  type Checkpoint,
  decodeEntries,
  equalBytes,
  fromBase64url,
  leafHash,
  nodeHash,
  ProtocolError,
  tileHashReader,
  tilePath,
  tileWidth,
  treeRoot,
  verifyCheckpoint,
  widthOfTile,
} from "@countersign/shared";
import type { LogSource } from "./source.js";

/** What is wrong with a log, in one word of ours, and where. */
export interface Fault {
  what:
    | "missing"
    | "malformed"
    | "signature"
    | "entry_differs"
    | "tile_differs"
    | "root_differs"
    | "rolled_back"
    | "forked";
  where: string;
}

export class LogFault extends Error {
  override readonly name = "LogFault";
  readonly fault: Fault;

  constructor(what: Fault["what"], where: string) {
    super(`${what}: ${where}`);
    this.fault = { what, where };
  }
}

/** @throws LogFault `missing`, `signature` */
export async function readHead(source: LogSource, logKey: string): Promise<Checkpoint> {
  const octets = await source.read("checkpoint");
  if (!octets) throw new LogFault("missing", "checkpoint");
  return readNote(octets, logKey, "checkpoint");
}

/** @throws LogFault `signature` */
export async function readNote(octets: Bytes, logKey: string, path: string): Promise<Checkpoint> {
  try {
    return await verifyCheckpoint(new TextDecoder().decode(octets), logKey);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new LogFault("signature", `${path} is not signed by the log's key`);
  }
}

export type VerifiedLog = ReturnType<typeof openVerifiedLog>;

/**
 * Reads a log from the top down, so that nothing is handed out that is not under the signed checkpoint: the right
 * edge by the root, every full tile by its hash in the tile above it, entries by their tile.
 */
export function openVerifiedLog(source: LogSource, head: Checkpoint) {
  const { size } = head;
  const upper = new Map<string, Promise<Bytes>>();

  async function fetchFile(path: string): Promise<Bytes> {
    const octets = await source.read(path);
    if (!octets) throw new LogFault("missing", path);
    return octets;
  }

  /** @throws LogFault */
  function tile(level: number, index: number): Promise<Bytes> {
    const key = `${level}/${index}`;
    const known = upper.get(key) ?? checkedTile(level, index);
    // Those of level 0 are as many as the log is long, and each is read once.
    if (level > 0) upper.set(key, known);
    return known;
  }

  async function checkedTile(level: number, index: number): Promise<Bytes> {
    const width = widthOfTile(level, index, size);
    const path = tilePath({ level, index, width });
    const octets = await fetchFile(path);
    if (octets.length !== width * 32) throw new LogFault("malformed", `${path} has another length`);
    if (width < tileWidth) return octets;
    const above = Math.floor(index / tileWidth);
    const parent = hashAt(await tile(level + 1, above), index % tileWidth);
    if (equalBytes(rootOf(octets), parent)) return octets;
    const parentPath = tilePath({
      level: level + 1,
      index: above,
      width: widthOfTile(level + 1, above, size),
    });
    const span = tileWidth ** (level + 1);
    const range = `entries ${index * span} to ${(index + 1) * span - 1}`;
    throw new LogFault("tile_differs", `${path} is not what ${parentPath} says: among ${range}`);
  }

  return {
    head,
    tile,
    /** The octets of a tile by its path, as `requireConsistent` takes them. */
    fetchTile: fetchFile,

    /** @throws LogFault `root_differs` */
    async requireRoot(): Promise<void> {
      const root = await treeRoot(tileHashReader(size, fetchFile), size).catch((error: unknown) => {
        if (error instanceof ProtocolError) throw new LogFault("malformed", "the right edge");
        throw error;
      });
      if (equalBytes(root, fromBase64url(head.root))) return;
      throw new LogFault("root_differs", `the tree of ${size} is not the one that is signed`);
    },

    /** @throws LogFault */
    async entries(bundle: number): Promise<Bytes[]> {
      const width = widthOfTile(0, bundle, size);
      const path = tilePath({ level: "entries", index: bundle, width });
      const entries = readBundle(await fetchFile(path), path);
      if (entries.length !== width) {
        throw new LogFault("malformed", `${path} has ${entries.length} entries, not ${width}`);
      }
      const hashes = await tile(0, bundle);
      const at = entries.findIndex(
        (each, index) => !equalBytes(leafHash(each), hashAt(hashes, index)),
      );
      if (at < 0) return entries;
      throw new LogFault("entry_differs", `entry ${bundle * tileWidth + at}, in ${path}`);
    },
  };
}

function readBundle(octets: Bytes, path: string): Bytes[] {
  try {
    return decodeEntries(octets);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new LogFault("malformed", `${path} is no bundle of entries`);
  }
}

const hashAt = (tile: Bytes, index: number): Bytes => tile.slice(index * 32, (index + 1) * 32);

function rootOf(octets: Bytes): Bytes {
  let hashes = Array.from({ length: octets.length / 32 }, (_, index) => hashAt(octets, index));
  while (hashes.length > 1) {
    hashes = hashes.flatMap((left, at) =>
      at % 2 === 0 ? [nodeHash(left, hashes[at + 1] as Bytes)] : [],
    );
  }
  return hashes[0] as Bytes;
}
