import { generateKeyPairSync, sign } from "node:crypto";
import {
  encodeEntries,
  fromBase64url,
  type LeafRecord,
  type LoggedLeaf,
  leafEntry,
  logProofText,
  parseTilePath,
  randomNonce,
  toBase64,
  vkeyText,
} from "@countersign/shared";
import { naiveInclusion, naiveRoot, naiveTile } from "@countersign/shared/naive-tree";

type Octets = Uint8Array<ArrayBuffer>;

export type SoftLog = ReturnType<typeof createSoftLog>;

/**
 * A log in the hands of a test: it holds its own key and says what it is told to. Its tree is the definition of
 * RFC 6962 written down, not the product's.
 */
export function createSoftLog(name: string) {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const key = fromBase64url(publicKey.export({ format: "jwk" }).x ?? "");
  const vkey = vkeyText({ name, publicKey: key });
  const keyId = Buffer.from(vkey.split("+")[1] ?? "", "hex");
  /** Whoever changes this has forked it. */
  const entries: Octets[] = [];

  function checkpoint(size = entries.length): string {
    const root = toBase64(naiveRoot(entries.slice(0, size)));
    const text = `${name}\n${size}\n${root}\n`;
    const signature = sign(null, Buffer.from(text), privateKey);
    return `${text}\n— ${name} ${toBase64(Buffer.concat([keyId, signature]))}\n`;
  }

  return {
    vkey,
    entries,
    checkpoint,
    append(record: Omit<LeafRecord, "v" | "salt">): { record: LeafRecord; index: number } {
      const salted: LeafRecord = { v: 1, salt: randomNonce(), ...record };
      entries.push(fromBase64url(leafEntry(salted)));
      return { record: salted, index: entries.length - 1 };
    },
    /** @param size of the tree to prove it in; now's if not given */
    prove(
      { record, index }: { record: LeafRecord; index: number },
      size = entries.length,
    ): LoggedLeaf {
      const hashes = naiveInclusion(index, entries.slice(0, size)) as Octets[];
      return { record, proof: logProofText({ index, hashes, checkpoint: checkpoint(size) }) };
    },
    /** @returns undefined where an honest log has no such tile */
    tile(path: string): Octets | undefined {
      const tile = parseTilePath(path);
      if (!tile) return undefined;
      const { level, index, width } = tile;
      const span = level === "entries" ? 1 : 256 ** level;
      if ((index * 256 + width) * span > entries.length) return undefined;
      if (level === "entries") {
        return encodeEntries(entries.slice(index * 256, index * 256 + width));
      }
      return new Uint8Array(naiveTile(level, index, width, entries));
    },
  };
}
