import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSoftAuthenticator } from "../../test-kit/src/soft-authenticator.js";
import {
  type Assertion,
  type AssertionExpectation,
  type AssertionRefusal,
  readAuthenticatorData,
  verifyAssertion,
} from "./assertion.js";
import {
  type Bytes,
  concat,
  fromBase64url,
  fromUtf8,
  randomBytes,
  toBase64url,
  utf8,
} from "./bytes.js";
import { flipByte, publishedVectors } from "./fixture.js";

const origin = "https://example.org";
const rpId = "example.org";
const authenticator = createSoftAuthenticator({ rpId, origin });
const challenge = randomBytes(32);
const expected: AssertionExpectation = {
  challenge: toBase64url(challenge),
  origin,
  rpId,
  credential: authenticator.credential,
};
const refusedFor = (reason: AssertionRefusal) =>
  expect.objectContaining({ code: "assertion_invalid", reason });

const withResponse = (given: Assertion, change: Partial<Assertion["response"]>): Assertion => ({
  ...given,
  response: { ...given.response, ...change },
});

interface PublishedVector {
  id: string;
  registration: { credential_id: string; attestationObject: string };
  authentication: {
    challenge: string;
    authenticatorData: string;
    clientDataJSON: string;
    signature: string;
  };
}

const published = publishedVectors("webauthn-l3");
describe.skipIf(published.absent)("the W3C's test vectors", () => {
  const verdicts: Record<string, AssertionRefusal | "key" | "accepted"> = {
    "none-es256": "user_verification",
    "packed-self-es256": "user_verification",
    "none-es256-crossOrigin": "cross_origin",
    "none-es256-topOrigin": "cross_origin",
    "none-es256-long-credential-id": "accepted",
    "packed-es256": "accepted",
    "packed-es384": "key",
    "packed-es512": "user_verification",
    "packed-rs256": "user_verification",
    "packed-eddsa": "user_verification",
    "packed-ed448": "key",
    "tpm-es256": "accepted",
    "android-key-es256": "user_verification",
    "apple-es256": "user_verification",
    "fido-u2f-es256": "user_verification",
  };
  const file = new URL("webauthn-l3-test-vectors.json", published.url);
  const vectors: PublishedVector[] = published.absent
    ? []
    : JSON.parse(readFileSync(file, "utf8")).vectors;

  test("are all judged", () => {
    expect(vectors.map(({ id }) => id.replace("sctn-test-vectors-", ""))).toEqual(
      Object.keys(verdicts),
    );
  });

  test.each(vectors)("$id", async ({ id, registration, authentication }) => {
    const verdict = verdicts[id.replace("sctn-test-vectors-", "")];
    const jwk = p256KeyOf(fromHex(registration.attestationObject));
    // A key that is not P-256 cannot even be written down in the protocol.
    expect(jwk === undefined).toBe(!id.includes("es256"));
    const credentialId = toBase64url(fromHex(registration.credential_id));
    const verified = verifyAssertion(
      {
        id: credentialId,
        response: {
          clientDataJSON: toBase64url(fromHex(authentication.clientDataJSON)),
          authenticatorData: toBase64url(fromHex(authentication.authenticatorData)),
          signature: toBase64url(fromHex(authentication.signature)),
        },
      },
      {
        challenge: toBase64url(fromHex(authentication.challenge)),
        origin,
        rpId,
        credential: {
          id: credentialId,
          jwk: jwk ?? authenticator.credential.jwk,
          be: ((fromHex(authentication.authenticatorData)[32] ?? 0) & 0x08) !== 0,
        },
      },
    );
    if (verdict === "accepted") await verified;
    else if (verdict === "key") await expect(verified).rejects.toThrow(refusedFor("signature"));
    else await expect(verified).rejects.toThrow(refusedFor(verdict ?? "credential"));
  });
});

function fromHex(hex: string): Bytes {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** The COSE key {1: 2, 3: -7, -1: 1, -2: x, -3: y} inside an attestation object. */
function p256KeyOf(attestation: Bytes) {
  const hex = Buffer.from(attestation).toString("hex");
  const [, x, y] = /a5010203262001215820(.{64})225820(.{64})/.exec(hex) ?? [];
  if (x === undefined || y === undefined) return undefined;
  return {
    kty: "EC",
    crv: "P-256",
    x: toBase64url(fromHex(x)),
    y: toBase64url(fromHex(y)),
  } as const;
}

test("an honest assertion passes, backed up or not", async () => {
  await verifyAssertion(await authenticator.assert(challenge), expected);
  await verifyAssertion(await authenticator.assert(challenge, { flags: { bs: false } }), expected);
  const bound = createSoftAuthenticator({ rpId, origin, be: false });
  await verifyAssertion(await bound.assert(challenge), {
    ...expected,
    credential: bound.credential,
  });
});

test("what browsers add to clientDataJSON changes nothing", async () => {
  const extraClientData = { other_keys_can_be_added_here: "https://goo.gl/yabPex", x: [1] };
  await verifyAssertion(await authenticator.assert(challenge, { extraClientData }), expected);
});

test.each(["present", "supported", "notSupported"])(
  "a token binding that is well-formed changes nothing: %s",
  async (status) => {
    const extraClientData = { tokenBinding: { status } };
    await verifyAssertion(await authenticator.assert(challenge, { extraClientData }), expected);
  },
);

// Nobody can sign like this on purpose: the keys were worked out from the signatures, over the same octets each time.
test.each([
  [
    "one octet",
    "30060201050201" + "02",
    "bk6H360xUP5iss6zupKgmxPo4Sl2qghahyMb88cHYkM",
    "fyJ4yHOai1JdIWqV8L3DHPCohn89PuOsovDaUL2t4cg",
  ],
  [
    "one octet and its sign",
    "300802020080020200ff",
    "1NL-FQRhIesp5OCYaNh83ccOxaWrGLm9VSH7UBwEUbk",
    "AkaKDJpZ4F7Q4pJq2EdOTe2XdAMuhqVvdXwSDiGvVU0",
  ],
])("a signature is one however short r and s are: %s", async (_length, der, x, y) => {
  const zero = new Uint8Array(32);
  const given = await authenticator.assert(zero, { tamperSignature: () => fromHex(der) });
  const jwk = { kty: "EC", crv: "P-256", x, y } as const;
  const credential = { ...expected.credential, jwk };
  const known = { ...expected, challenge: toBase64url(zero), credential };
  await verifyAssertion(given, known);
  const other = await authenticator.assert(zero, {
    tamperSignature: () => fromHex(`${der.slice(0, -2)}03`),
  });
  await expect(verifyAssertion(other, known)).rejects.toThrow(refusedFor("signature"));
});

describe("a correctly signed assertion is refused", () => {
  test.each<[string, Parameters<typeof authenticator.assert>[1], AssertionRefusal]>([
    ["without user presence", { flags: { up: false } }, "user_presence"],
    ["without user verification", { flags: { uv: false } }, "user_verification"],
    ["with another backup eligibility", { flags: { be: false, bs: false } }, "backup_eligibility"],
    ["backed up but not eligible", { flags: { be: false, bs: true } }, "backup_eligibility"],
    ["for another relying party", { rpId: "evil.example" }, "rp_id"],
    ["for a parent domain", { rpId: "org" }, "rp_id"],
    ["from another origin", { origin: "https://evil.example" }, "origin"],
    ["from a subdomain", { origin: "https://a.example.org" }, "origin"],
    ["from another port", { origin: "https://example.org:444" }, "origin"],
    ["from an origin with a slash", { origin: "https://example.org/" }, "origin"],
    ["from a frame of another origin", { crossOrigin: true }, "cross_origin"],
    ["with a top origin", { topOrigin: "https://example.org" }, "cross_origin"],
    ["with a null top origin", { extraClientData: { topOrigin: null } }, "cross_origin"],
    [
      "with a crossOrigin that is no boolean",
      { extraClientData: { crossOrigin: "x" } },
      "client_data",
    ],
    [
      "with a token binding of no known status",
      { extraClientData: { tokenBinding: { status: "absent" } } },
      "client_data",
    ],
    [
      "with a token binding that is no object",
      { extraClientData: { tokenBinding: "present" } },
      "client_data",
    ],
    ["with a token binding of no status", { extraClientData: { tokenBinding: {} } }, "client_data"],
    ["of a registration", { type: "webauthn.create" }, "type"],
    ["of a payment", { type: "payment.get" }, "type"],
  ])("%s", async (_name, overrides, reason) => {
    const given = await authenticator.assert(challenge, overrides);
    await expect(verifyAssertion(given, expected)).rejects.toThrow(refusedFor(reason));
  });

  test("over another challenge", async () => {
    const given = await authenticator.assert(randomBytes(32));
    await expect(verifyAssertion(given, expected)).rejects.toThrow(refusedFor("challenge"));
  });

  test("backed up, by a credential that was never eligible for it", async () => {
    const bound = createSoftAuthenticator({ rpId, origin, be: false });
    const given = await bound.assert(challenge, { flags: { bs: true } });
    await expect(
      verifyAssertion(given, { ...expected, credential: bound.credential }),
    ).rejects.toThrow(refusedFor("backup_eligibility"));
  });

  test("by a credential that became eligible for backup", async () => {
    const bound = createSoftAuthenticator({ rpId, origin, be: false });
    const given = await bound.assert(challenge, { flags: { be: true } });
    await expect(
      verifyAssertion(given, { ...expected, credential: bound.credential }),
    ).rejects.toThrow(refusedFor("backup_eligibility"));
  });

  test("by another credential, also under this one's id", async () => {
    const other = createSoftAuthenticator({ rpId, origin });
    const given = await other.assert(challenge);
    await expect(verifyAssertion(given, expected)).rejects.toThrow(refusedFor("credential"));
    const renamed = { ...given, id: expected.credential.id };
    await expect(verifyAssertion(renamed, expected)).rejects.toThrow(refusedFor("signature"));
  });
});

describe("client data is refused", () => {
  test.each([
    ["with a duplicate member", (text: string) => text.replace("{", '{"type":"webauthn.get",')],
    [
      "with an escaped duplicate",
      (text: string) => text.replace("{", '{"\\u0074ype":"webauthn.get",'),
    ],
    ["with __proto__", (text: string) => text.replace("{", '{"__proto__":{},')],
    ["as a list", (text: string) => `[${text}]`],
    ["truncated", (text: string) => text.slice(0, -1)],
  ])("%s", async (_name, change) => {
    const given = await authenticator.assert(challenge);
    const text = fromUtf8(fromBase64url(given.response.clientDataJSON));
    const changed = withResponse(given, { clientDataJSON: toBase64url(utf8(change(text))) });
    await expect(verifyAssertion(changed, expected)).rejects.toThrow(refusedFor("client_data"));
  });

  test("where it is no UTF-8", async () => {
    const given = await authenticator.assert(challenge);
    const changed = withResponse(given, { clientDataJSON: toBase64url(Uint8Array.of(0xff)) });
    await expect(verifyAssertion(changed, expected)).rejects.toThrow(refusedFor("client_data"));
  });
});

test("truncated authenticator data is refused", async () => {
  const given = await authenticator.assert(challenge);
  const data = fromBase64url(given.response.authenticatorData).subarray(0, 36);
  const changed = withResponse(given, { authenticatorData: toBase64url(data) });
  await expect(verifyAssertion(changed, expected)).rejects.toThrow(
    refusedFor("authenticator_data"),
  );
  expect(() => readAuthenticatorData(toBase64url(data))).toThrow(refusedFor("authenticator_data"));
});

test("backup eligibility and counter are read from where they stand", async () => {
  const given = await authenticator.assert(challenge, { counter: 0x01020304 });
  const { authenticatorData } = given.response;
  expect(readAuthenticatorData(authenticatorData)).toEqual({ be: true, counter: 0x01020304 });
  const bound = await authenticator.assert(challenge, { flags: { be: false, bs: true } });
  expect(readAuthenticatorData(bound.response.authenticatorData)).toEqual({
    be: false,
    counter: 0,
  });
});

test.each(["clientDataJSON", "authenticatorData", "signature"] as const)(
  "any byte changed in %s is refused",
  async (member) => {
    const given = await authenticator.assert(challenge);
    const bytes = fromBase64url(given.response[member]);
    for (let index = 0; index < bytes.length; index++) {
      const changed = withResponse(given, { [member]: toBase64url(flipByte(bytes, index)) });
      await expect(verifyAssertion(changed, expected)).rejects.toThrow(
        expect.objectContaining({ code: "assertion_invalid" }),
      );
    }
  },
);

describe("a signature in any other DER than the canonical one is refused", () => {
  /** r and s as they stand in the honest encoding, tag and length included. */
  const split = (der: Bytes) => {
    const end = 4 + (der[3] as number);
    return { r: der.subarray(2, end), s: der.subarray(end) };
  };
  const sequence = (...parts: Bytes[]) => {
    const body = concat(...parts);
    return concat(Uint8Array.of(0x30, body.length), body);
  };
  const integer = (value: Bytes) => concat(Uint8Array.of(0x02, value.length), value);
  const magnitude = (part: Bytes) => part.subarray(2);
  const pad = (part: Bytes) => integer(concat(Uint8Array.of(0), magnitude(part)));

  test.each<[string, (der: Bytes) => Bytes]>([
    ["empty", () => new Uint8Array()],
    [
      "long-form length of the sequence",
      (der) => concat(Uint8Array.of(0x30, 0x81), der.subarray(1)),
    ],
    [
      "long-form length of r",
      (der) => {
        const { r, s } = split(der);
        return sequence(concat(Uint8Array.of(0x02, 0x81), r.subarray(1)), s);
      },
    ],
    [
      "indefinite length",
      (der) => concat(Uint8Array.of(0x30, 0x80), der.subarray(2), Uint8Array.of(0, 0)),
    ],
    ["a byte after the sequence", (der) => concat(der, Uint8Array.of(0))],
    ["a byte inside the sequence", (der) => sequence(der.subarray(2), Uint8Array.of(0))],
    ["a third integer", (der) => sequence(der.subarray(2), integer(Uint8Array.of(1)))],
    ["only r", (der) => sequence(split(der).r)],
    ["truncated", (der) => der.subarray(0, -1)],
    ["truncated with the length put right", (der) => sequence(der.subarray(2, -1))],
    ["a negative r", (der) => sequence(integer(Uint8Array.of(0x80)), split(der).s)],
    ["r of no octets", (der) => sequence(integer(new Uint8Array()), split(der).s)],
    ["s of no octets", (der) => sequence(split(der).r, integer(new Uint8Array()))],
    ["r of 34 octets", (der) => sequence(integer(new Uint8Array(34).fill(1)), split(der).s)],
    [
      "r of 33 octets that are no sign",
      (der) => sequence(integer(new Uint8Array(33).fill(1)), split(der).s),
    ],
    ["r = 0", (der) => sequence(integer(Uint8Array.of(0)), split(der).s)],
    ["s = 0", (der) => sequence(split(der).r, integer(Uint8Array.of(0)))],
    ["r = s = 0", () => sequence(integer(Uint8Array.of(0)), integer(Uint8Array.of(0)))],
    ["r = s = 1", () => sequence(integer(Uint8Array.of(1)), integer(Uint8Array.of(1)))],
    ["a set instead of a sequence", (der) => concat(Uint8Array.of(0x31), der.subarray(1))],
    [
      "an octet string instead of r",
      (der) => sequence(concat(Uint8Array.of(0x04), split(der).r.subarray(1)), split(der).s),
    ],
    ["r || s as WebCrypto writes it", (der) => concat(fixed(split(der).r), fixed(split(der).s))],
  ])("%s", async (_name, tamperSignature) => {
    const given = await authenticator.assert(challenge, { tamperSignature });
    await expect(verifyAssertion(given, expected)).rejects.toThrow(refusedFor("signature"));
  });

  /** One in four signatures has both its integers at this length: 32 octets, or 33 with a sign. */
  async function signatureOf(length: 32 | 33): Promise<{ given: Assertion; r: Bytes; s: Bytes }> {
    for (;;) {
      const given = await authenticator.assert(challenge);
      const { r, s } = split(fromBase64url(given.response.signature));
      if (r[1] === length && s[1] === length) return { given, r, s };
    }
  }

  test("an octet of nothing before r or s, where none belongs", async () => {
    const { given, r, s } = await signatureOf(32);
    await verifyAssertion(given, expected);
    for (const padded of [sequence(pad(r), s), sequence(r, pad(s))]) {
      const changed = withResponse(given, { signature: toBase64url(padded) });
      await expect(verifyAssertion(changed, expected)).rejects.toThrow(refusedFor("signature"));
    }
  });

  test("no sign before r or s, which makes it negative", async () => {
    const { given, r, s } = await signatureOf(33);
    await verifyAssertion(given, expected);
    const bare = (part: Bytes) => integer(magnitude(part).subarray(1));
    for (const negative of [sequence(bare(r), s), sequence(r, bare(s))]) {
      const changed = withResponse(given, { signature: toBase64url(negative) });
      await expect(verifyAssertion(changed, expected)).rejects.toThrow(refusedFor("signature"));
    }
  });

  function fixed(part: Bytes): Bytes {
    const value = magnitude(part).slice(-32);
    return concat(new Uint8Array(32 - value.length), value);
  }

  test("and a thousand honest ones, of every length, pass", async () => {
    for (let count = 0; count < 1000; count++) {
      await verifyAssertion(await authenticator.assert(challenge), expected);
    }
  });

  test("and random bytes are no signature, nor a crash", async () => {
    const given = await authenticator.assert(challenge);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (bytes) => {
        const changed = withResponse(given, { signature: toBase64url(bytes) });
        await expect(verifyAssertion(changed, expected)).rejects.toThrow(refusedFor("signature"));
      }),
    );
  });
});
