import { verifyEd25519 } from "#ed25519";
import { sha256 } from "#sha256";
import {
  type Bytes,
  concat,
  equalBytes,
  fromBase64url,
  fromUtf8,
  toBase64url,
  utf8,
} from "../bytes.js";
import { ProtocolError } from "../errors.js";

// Signed notes with Ed25519. @see c2sp.org/signed-note

const ed25519 = 0x01;
const maxSignatures = 64;
const keyName = /^[^\s+]+$/;

/** base64 with padding, as the C2SP formats write it. */
export const toBase64 = (bytes: Uint8Array): string =>
  toBase64url(bytes).replaceAll("-", "+").replaceAll("_", "/").padEnd(base64Length(bytes), "=");

const base64Length = (bytes: Uint8Array): number => Math.ceil(bytes.length / 3) * 4;

/** @throws ProtocolError `log_invalid` on any but the one spelling */
export function fromBase64(text: string): Bytes {
  try {
    const url = text.replaceAll("+", "-").replaceAll("/", "_").replace(/=*$/, "");
    const bytes = fromBase64url(url);
    if (toBase64(bytes) === text) return bytes;
  } catch (cause) {
    throw new ProtocolError("log_invalid", { cause });
  }
  throw new ProtocolError("log_invalid");
}

/** A verifier key, as the text `<name>+<key id>+<base64 of type and key>` says it. */
export interface NoteKey {
  name: string;
  publicKey: Bytes;
}

const keyId = ({ name, publicKey }: NoteKey): Bytes =>
  sha256(concat(utf8(`${name}\n`), Uint8Array.of(ed25519), publicKey)).slice(0, 4);

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const vkeyText = (key: NoteKey): string =>
  `${key.name}+${hex(keyId(key))}+${toBase64(concat(Uint8Array.of(ed25519), key.publicKey))}`;

/**
 * What must not be a key, as its `y` without the sign: the points of small order, under which one signature fits many
 * texts, and numbers that are not reduced, which are another key's second spelling. Verifiers differ about both.
 */
const notAKey =
  /^(0[01](00){31}|ec(ff){30}7f|26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05|c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a|(e[d-f]|f.)(ff){30}7f)$/;

const withoutSign = (key: Bytes): Bytes => key.with(31, (key[31] ?? 0) & 0x7f) as Bytes;

/** @throws ProtocolError `log_invalid` on anything but an Ed25519 vkey in its one spelling */
export function parseVkey(text: string): NoteKey {
  const [name = "", , ...encoded] = text.split("+");
  const material = fromBase64(encoded.join("+"));
  const key = { name, publicKey: material.slice(1) };
  const sound =
    keyName.test(name) &&
    material[0] === ed25519 &&
    key.publicKey.length === 32 &&
    !notAKey.test(hex(withoutSign(key.publicKey))) &&
    vkeyText(key) === text;
  if (!sound) throw new ProtocolError("log_invalid");
  return key;
}

/** Signs a text that ends with a newline. Ed25519 is deterministic: the same text gives the same note. */
export async function signNote(
  text: string,
  key: NoteKey & { privateKey: CryptoKey },
): Promise<string> {
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key.privateKey, utf8(text)));
  return noteOf(text, key, signature);
}

const noteOf = (text: string, key: NoteKey, signature: Uint8Array): string =>
  `${text}\n— ${key.name} ${toBase64(concat(keyId(key), signature))}\n`;

/**
 * A note that this key has signed: the key's name, its text, and the note with this key's signature alone. Signatures by others, of
 * witnesses for one, are passed over.
 * @throws ProtocolError `log_invalid`
 */
export async function verifyNote(
  note: string,
  vkey: string,
): Promise<{ name: string; text: string; note: string }> {
  const key = parseVkey(vkey);
  const { text, signatures } = splitNote(note);
  const id = keyId(key);
  const own = signatures.filter(({ name, keyId }) => name === key.name && equalBytes(keyId, id));
  const verdicts = await Promise.all(
    own.map(({ signature }) => verifyEd25519(key.publicKey, signature, utf8(text))),
  );
  const [first] = own;
  if (!first || verdicts.includes(false)) throw new ProtocolError("log_invalid");
  return { name: key.name, text, note: noteOf(text, key, first.signature) };
}

function splitNote(note: string) {
  // Well-formed text without control characters: what was signed is what is read.
  const clean = fromUtf8(utf8(note)) === note && !hasControls(note);
  const at = note.lastIndexOf("\n\n");
  const lines = note.slice(at + 2).split("\n");
  const ended = lines.pop() === "";
  if (!clean || at < 0 || !ended || lines.length > maxSignatures) {
    throw new ProtocolError("log_invalid");
  }
  return { text: note.slice(0, at + 1), signatures: lines.map(readSignature) };
}

function hasControls(note: string): boolean {
  for (let index = 0; index < note.length; index++) {
    const code = note.charCodeAt(index);
    if (code < 0x20 && code !== 0x0a) return true;
  }
  return false;
}

function readSignature(line: string) {
  const [dash, name = "", encoded = "", ...rest] = line.split(" ");
  const bytes = fromBase64(encoded);
  if (dash !== "—" || !keyName.test(name) || rest.length > 0 || bytes.length < 5) {
    throw new ProtocolError("log_invalid");
  }
  return { name, keyId: bytes.slice(0, 4), signature: bytes.slice(4) };
}
