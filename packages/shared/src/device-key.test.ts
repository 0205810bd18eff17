import { expect, test } from "vitest";
import { fromBase64url, toBase64url, utf8 } from "./bytes.js";
import { publicJwk, signWithDevice, verifyDeviceSignature } from "./device-key.js";
import { createAgentKey } from "./fixture.js";
import { ecPublicJwk, parse } from "./schema.js";

const said = utf8("delete it");

test("a device's signature is good for its own purpose, octets and key alone", async () => {
  const { privateKey, jwk } = await createAgentKey();
  const signature = await signWithDevice("deny", said, privateKey);
  await verifyDeviceSignature("deny", said, signature, jwk);
  const other = await createAgentKey();
  for (const given of [
    ["approve", said, jwk],
    ["deny", utf8("delete them"), jwk],
    ["deny", said, other.jwk],
  ] as const) {
    const [purpose, bytes, key] = given;
    await expect(verifyDeviceSignature(purpose, bytes, signature, key)).rejects.toMatchObject({
      code: "device_signature_invalid",
    });
  }
});

test.each<[string, (octets: Uint8Array) => Uint8Array]>([
  ["none", () => new Uint8Array()],
  ["one too few", (octets) => octets.subarray(0, 63)],
  ["one too many", (octets) => Uint8Array.of(...octets, 0)],
  ["twice as many", (octets) => Uint8Array.of(...octets, ...octets)],
])("a device's signature has 64 octets, not %s", async (_count, change) => {
  const { privateKey, jwk } = await createAgentKey();
  const signature = fromBase64url(await signWithDevice("deny", said, privateKey));
  const changed = toBase64url(change(signature));
  await expect(verifyDeviceSignature("deny", said, changed, jwk)).rejects.toMatchObject({
    code: "device_signature_invalid",
  });
});

test("a public key is written down as four members that read back", async () => {
  const { publicKey } = await crypto.subtle.generateKey(
    { name: "ECDSA", namedCurve: "P-256" },
    false,
    ["sign", "verify"],
  );
  const jwk = await publicJwk(publicKey);
  expect(parse(ecPublicJwk, jwk)).toEqual(jwk);
});

test.each<[string, EcKeyGenParams | Algorithm]>([
  ["another curve", { name: "ECDSA", namedCurve: "P-384" }],
  ["another kind", { name: "Ed25519" }],
])("a key of %s is not written down as if it were of this one", async (_what, algorithm) => {
  const pair = await crypto.subtle.generateKey(algorithm, false, ["sign", "verify"]);
  await expect(publicJwk((pair as CryptoKeyPair).publicKey)).rejects.toMatchObject({
    code: "unsupported_algorithm",
  });
});
