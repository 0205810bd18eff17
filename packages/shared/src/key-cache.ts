import type { EcPublicJwk } from "./hash.js";

const maxKept = 1000;

/** Importing a key takes longer than verifying with it, and the same few come again and again. The oldest goes first. */
export function createKeyCache<Key>(read: (jwk: EcPublicJwk) => Key): (jwk: EcPublicJwk) => Key {
  const kept = new Map<string, Key>();
  return (jwk) => {
    const name = `${jwk.kty} ${jwk.crv} ${jwk.x} ${jwk.y}`;
    const known = kept.get(name);
    if (known) return known;
    const key = read(jwk);
    const [oldest] = kept.keys();
    if (kept.size >= maxKept && oldest !== undefined) kept.delete(oldest);
    kept.set(name, key);
    return key;
  };
}
