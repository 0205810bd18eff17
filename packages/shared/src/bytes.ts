import { ProtocolError } from "./errors.js";

/** Bytes backed by an ordinary ArrayBuffer: what WebCrypto takes. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const utf8 = (text: string): Bytes => encoder.encode(text);

/** @throws ProtocolError `invalid_encoding` on anything but well-formed UTF-8 (a BOM is kept, not dropped). */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ProtocolError("invalid_encoding", { cause });
  }
}

export function concat(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Equality whose running time depends on the lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let index = 0; index < a.length; index++) {
    difference |= (a[index] as number) ^ (b[index] as number);
  }
  return difference === 0;
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const characters = encoder.encode(alphabet);
/** By character code; whatever is not in the alphabet has no value. */
const values: (number | undefined)[] = [];
for (const [value, character] of [...alphabet].entries()) values[character.charCodeAt(0)] = value;

/** base64url without padding (RFC 4648 section 5). */
export function toBase64url(bytes: Uint8Array): string {
  const text = new Uint8Array(Math.ceil((bytes.length * 4) / 3));
  let written = 0;
  let held = 0;
  let bits = 0;
  for (let index = 0; index < bytes.length; index++) {
    held = (held << 8) | (bytes[index] as number);
    bits += 8;
    for (; bits >= 6; bits -= 6) {
      text[written++] = characters[(held >> (bits - 6)) & 63] as number;
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) text[written] = characters[held << (6 - bits)] as number;
  return decoder.decode(text);
}

/**
 * Decodes base64url without padding, and only the one text that encoding gives again:
 * `QR` is refused because `QQ` is how that byte is written.
 * @throws ProtocolError `invalid_encoding`
 */
export function fromBase64url(text: string): Bytes {
  if (text.length % 4 === 1) throw new ProtocolError("invalid_encoding");
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let written = 0;
  let held = 0;
  let bits = 0;
  for (let index = 0; index < text.length; index++) {
    const value = values[text.charCodeAt(index)];
    if (value === undefined) throw new ProtocolError("invalid_encoding");
    held = (held << 6) | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[written++] = held >> bits;
    held &= (1 << bits) - 1;
  }
  // What is left over of the last character has no byte of its own and must be zero.
  if (held !== 0) throw new ProtocolError("invalid_encoding");
  return bytes;
}

export function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** Nonces and salts are 32 random bytes (protocol section 2). */
export const randomNonce = (): string => toBase64url(randomBytes(32));

/**
 * Ids are at least 16 random bytes (protocol section 2). Drawn again where it would begin with a hyphen: ids are words
 * of commands (`countersign unpair <approver>`), which would take it for an option.
 */
export function randomId(): string {
  for (;;) {
    const id = toBase64url(randomBytes(16));
    if (!id.startsWith("-")) return id;
  }
}
