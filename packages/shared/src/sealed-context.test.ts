import { GeneralEncrypt, importJWK } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { createSoftDevice } from "../../test-kit/src/soft-device.js";
import { concat, fromUtf8, randomBytes, randomId, toBase64url, utf8 } from "./bytes.js";
import { flipByte } from "./fixture.js";
import { thumbprint } from "./hash.js";
import { maxPlaintextBytes, maxSealedBytes, sealContext } from "./sealed-context.js";

const rid = randomId();
const context = { manifestBytes: utf8('{"v":1}'), picture: randomBytes(300) };
let device: Awaited<ReturnType<typeof createSoftDevice>>;
let other: typeof device;
beforeAll(async () => {
  [device, other] = await Promise.all([createSoftDevice(), createSoftDevice()]);
});
const seal = (devices = [device, other]) =>
  sealContext(
    context,
    devices.map(({ keys }) => keys.enc_jwk),
    rid,
  );

test("every device that it was sealed for opens it, with a picture or without", async () => {
  for (const devices of [[device], [device, other], [other, device]]) {
    const octets = await seal(devices);
    for (const one of devices) expect(await one.open(octets, rid)).toEqual(context);
  }
  const bare = { manifestBytes: context.manifestBytes, picture: new Uint8Array() };
  const octets = await sealContext(bare, [device.keys.enc_jwk], rid);
  expect(await device.open(octets, rid)).toEqual(bare);
});

test("a device that is not among the recipients cannot open it", async () => {
  const stranger = await createSoftDevice();
  await expect(stranger.open(await seal(), rid)).rejects.toMatchObject({ code: "not_found" });
});

test("a device that is listed under a key which it does not hold cannot open it", async () => {
  const sealed = JSON.parse(fromUtf8(await seal([other])));
  sealed.recipients[0].header.kid = thumbprint(device.keys.enc_jwk);
  await expect(device.open(utf8(JSON.stringify(sealed)), rid)).rejects.toMatchObject({
    code: "invalid_binding",
  });
});

describe("it belongs to one request", () => {
  test("and opens for no other, nor as an after-picture", async () => {
    const octets = await seal();
    for (const aad of [randomId(), `${rid}.outcome`, ""]) {
      await expect(device.open(octets, aad)).rejects.toMatchObject({ code: "invalid_binding" });
    }
  });

  test("also when the broker writes the other request's id on it", async () => {
    const sealed = JSON.parse(fromUtf8(await seal()));
    const elsewhere = randomId();
    sealed.aad = toBase64url(utf8(elsewhere));
    await expect(device.open(utf8(JSON.stringify(sealed)), elsewhere)).rejects.toMatchObject({
      code: "invalid_binding",
    });
  });
});

test("one byte changed anywhere is refused, or changes nothing that this device reads", async () => {
  const octets = await seal();
  let harmless = 0;
  for (let index = 0; index < octets.length; index++) {
    try {
      expect(await device.open(flipByte(octets, index), rid)).toEqual(context);
      harmless++;
    } catch (error) {
      expect(error).toMatchObject({ name: "ProtocolError" });
    }
  }
  // Another recipient's key and header are the only octets that are not this device's own.
  const { recipients } = JSON.parse(fromUtf8(octets));
  expect(harmless).toBeLessThan(JSON.stringify(recipients[1]).length);
  const single = await seal([device]);
  for (let index = 0; index < single.length; index++) {
    await expect(device.open(flipByte(single, index), rid)).rejects.toMatchObject({
      name: "ProtocolError",
    });
  }
});

describe("a JWE outside the protocol is refused", () => {
  type Jwe = {
    protected: string;
    recipients: { encrypted_key: string; header: Record<string, unknown> }[];
    [member: string]: unknown;
  };
  const header = (value: object) => toBase64url(utf8(JSON.stringify(value)));
  test.each<[string, (jwe: Jwe) => unknown]>([
    ["compressed", (jwe) => ({ ...jwe, protected: header({ enc: "A256GCM", zip: "DEF" }) })],
    ["another cipher", (jwe) => ({ ...jwe, protected: header({ enc: "A128CBC-HS256" }) })],
    ["crit", (jwe) => ({ ...jwe, protected: header({ enc: "A256GCM", crit: ["x"], x: 1 }) })],
    ["an unprotected header", (jwe) => ({ ...jwe, unprotected: { enc: "A256GCM" } })],
    ["no recipients", (jwe) => ({ ...jwe, recipients: [] })],
    ["direct agreement", (jwe) => alter(jwe, { alg: "ECDH-ES" })],
    ["a password", (jwe) => alter(jwe, { alg: "PBES2-HS256+A128KW", p2c: 1e9, p2s: "AAAA" })],
    ["apu", (jwe) => alter(jwe, { apu: "AAAA" })],
    ["no aad", ({ aad: _aad, ...jwe }) => jwe],
    ["an aliased tag", (jwe) => ({ ...jwe, tag: `${String(jwe["tag"]).slice(0, -1)}B` })],
    ["a short tag", (jwe) => ({ ...jwe, tag: "AAAA" })],
    ["a short iv", (jwe) => ({ ...jwe, iv: "AAAA" })],
  ])("%s", async (_name, change) => {
    const jwe = JSON.parse(fromUtf8(await seal())) as Jwe;
    await expect(device.open(utf8(JSON.stringify(change(jwe))), rid)).rejects.toMatchObject({
      name: "ProtocolError",
    });
  });

  const alter = (jwe: Jwe, members: object) => ({
    ...jwe,
    recipients: jwe.recipients.map((one) => ({ ...one, header: { ...one.header, ...members } })),
  });

  test("with a protected member that the protocol does not know, though sealed correctly", async () => {
    const encrypt = new GeneralEncrypt(new Uint8Array(8))
      .setProtectedHeader({ enc: "A256GCM", cty: "text/plain" })
      .setAdditionalAuthenticatedData(utf8(rid));
    for (const { enc_jwk } of [device.keys, other.keys]) {
      encrypt
        .addRecipient(await importJWK({ ...enc_jwk }, "ECDH-ES+A256KW"))
        .setUnprotectedHeader({ alg: "ECDH-ES+A256KW", kid: thumbprint(enc_jwk) });
    }
    const octets = utf8(JSON.stringify(await encrypt.encrypt()));
    await expect(device.open(octets, rid)).rejects.toMatchObject({ code: "unknown_member" });
  });

  test("with a duplicate member", async () => {
    const text = fromUtf8(await seal()).replace("{", '{"tag":"AAAA",');
    await expect(device.open(utf8(text), rid)).rejects.toMatchObject({ code: "invalid_json" });
  });
});

test("the largest context fits into what may be uploaded for 64 devices; one byte more is refused", async () => {
  const manifestBytes = utf8("{}");
  const picture = new Uint8Array(maxPlaintextBytes - 4 - manifestBytes.length);
  const recipients = Array.from({ length: 64 }, () => device.keys.enc_jwk);
  const octets = await sealContext({ manifestBytes, picture }, recipients, rid);
  expect(octets.length).toBeLessThanOrEqual(maxSealedBytes);
  const more = { manifestBytes, picture: concat(picture, Uint8Array.of(0)) };
  await expect(sealContext(more, recipients, rid)).rejects.toMatchObject({ code: "too_large" });
  const tooLong = new Uint8Array(maxSealedBytes + 1);
  await expect(device.open(tooLong, rid)).rejects.toMatchObject({ code: "too_large" });
});
