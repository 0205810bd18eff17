import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
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

  /** @param signText gives the signature; Ed25519's own if not given */
  function checkpoint(
    size = entries.length,
    signText = (text: Buffer): Buffer => sign(null, text, privateKey),
  ): string {
    const root = toBase64(naiveRoot(entries.slice(0, size)));
    const text = `${name}\n${size}\n${root}\n`;
    const signature = signText(Buffer.from(text));
    return `${text}\n— ${name} ${toBase64(Buffer.concat([keyId, signature]))}\n`;
  }

  return {
    vkey,
    entries,
    checkpoint,
    /** The same tree in another note: whoever holds the key can sign it as often as it likes. */
    checkpointAgain: () =>
      checkpoint(entries.length, (text) => signWithFreshNonce(text, privateKey, key)),
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

const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n;
const sha512 = (...parts: Uint8Array[]): Buffer =>
  createHash("sha512").update(Buffer.concat(parts)).digest();
const littleEndian = (bytes: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);

/** RFC 8032, 5.1.5. */
function scalarOf(key: KeyObject): bigint {
  const seed = Buffer.from(key.export({ format: "jwk" }).d ?? "", "base64url");
  const bytes = sha512(seed).subarray(0, 32);
  bytes[0] = (bytes[0] ?? 0) & 248;
  bytes[31] = ((bytes[31] ?? 0) & 127) | 64;
  return littleEndian(bytes);
}

/** RFC 8032, 5.1.6, but for the nonce: another key pair's, so that no two signatures are the same. */
function signWithFreshNonce(text: Buffer, privateKey: KeyObject, publicKey: Uint8Array): Buffer {
  const nonce = generateKeyPairSync("ed25519");
  const point = Buffer.from(nonce.publicKey.export({ format: "jwk" }).x ?? "", "base64url");
  const challenge = littleEndian(sha512(point, publicKey, text)) % groupOrder;
  const scalar = (scalarOf(nonce.privateKey) + challenge * scalarOf(privateKey)) % groupOrder;
  return Buffer.concat([
    point,
    Buffer.from(scalar.toString(16).padStart(64, "0"), "hex").reverse(),
  ]);
}
