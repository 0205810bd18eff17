import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { randomBytes, toBase64url } from "./bytes.js";
import { signWithDevice, verifyDeviceSignature } from "./device-key.js";
import { createAgentKey, flipByte } from "./fixture.js";
import { hash, type Purpose, pre, thumbprint } from "./hash.js";

const purposes = [
  "context",
  "request",
  "view",
  "result",
  "match",
  "approve",
  "deny",
  "freeze",
  "recovery",
  "recovery_code",
  "login",
  "register",
  "pairing",
  "commit",
  "pair",
  "compare",
  "link",
  "vouch",
  "credential",
  "device",
  "leaf",
  "practice",
] as const satisfies Purpose[];
/** Fails to compile when a purpose is added that no test looks at. */
purposes satisfies [Exclude<Purpose, (typeof purposes)[number]>] extends [never] ? unknown : never;

test("H is SHA-256 over the purpose, a zero octet and the bytes", () => {
  const bytes = randomBytes(50);
  for (const purpose of purposes) {
    const again = createHash("sha256").update(`countersign/${purpose}/v1\0`).update(bytes);
    expect(hash(purpose, bytes)).toBe(again.digest("base64url"));
  }
});

test("no hash of one purpose is the hash of another", () => {
  const bytes = randomBytes(32);
  expect(new Set(purposes.map((purpose) => hash(purpose, bytes))).size).toBe(purposes.length);
});

test("no octets are signed for two purposes: no prefix is the start of another", () => {
  const none = new Uint8Array();
  const prefixes = purposes.map((purpose) => Buffer.from(pre(purpose, none)).toString("latin1"));
  for (const one of prefixes) {
    expect(prefixes.filter((other) => other.startsWith(one))).toEqual([one]);
  }
});

test("a device signature of one purpose verifies for that purpose only", async () => {
  const { jwk, privateKey } = await createAgentKey();
  const bytes = randomBytes(40);
  for (const signed of purposes) {
    const signature = await signWithDevice(signed, bytes, privateKey);
    for (const offered of purposes) {
      const verified = verifyDeviceSignature(offered, bytes, signature, jwk);
      if (offered === signed) await verified;
      else await expect(verified).rejects.toMatchObject({ code: "device_signature_invalid" });
    }
  }
});

test("a device signature is bound to its bytes and its key", async () => {
  const { jwk, privateKey } = await createAgentKey();
  const bytes = randomBytes(40);
  const signature = await signWithDevice("deny", bytes, privateKey);
  const refusal = { code: "device_signature_invalid" };
  await expect(
    verifyDeviceSignature("deny", flipByte(bytes, 0), signature, jwk),
  ).rejects.toMatchObject(refusal);
  const other = await createAgentKey();
  await expect(verifyDeviceSignature("deny", bytes, signature, other.jwk)).rejects.toMatchObject(
    refusal,
  );
  const short = toBase64url(randomBytes(63));
  await expect(verifyDeviceSignature("deny", bytes, short, jwk)).rejects.toMatchObject(refusal);
  const zero = toBase64url(new Uint8Array(64));
  await expect(verifyDeviceSignature("deny", bytes, zero, jwk)).rejects.toMatchObject(refusal);
});

test("a key that is not a point of P-256 is refused", async () => {
  const { jwk, privateKey } = await createAgentKey();
  const bytes = randomBytes(8);
  const signature = await signWithDevice("deny", bytes, privateKey);
  const offCurve = { ...jwk, y: jwk.x };
  await expect(verifyDeviceSignature("deny", bytes, signature, offCurve)).rejects.toMatchObject({
    code: "unsupported_algorithm",
  });
});

test("a thumbprint is RFC 7638's, whatever the order or the extra members", async () => {
  const { jwk } = await createAgentKey();
  const canonical = `{"crv":"P-256","kty":"EC","x":"${jwk.x}","y":"${jwk.y}"}`;
  const again = createHash("sha256").update(canonical).digest("base64url");
  expect(thumbprint(jwk)).toBe(again);
  expect(thumbprint({ y: jwk.y, x: jwk.x, crv: "P-256", kty: "EC" })).toBe(again);
});
