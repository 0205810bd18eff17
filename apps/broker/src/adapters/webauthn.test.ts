import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import {
  type Assertion,
  type Bytes,
  type Credential,
  concat,
  fromBase64url,
  ProtocolError,
  randomBytes,
  toBase64url,
  verifyAssertion,
} from "@countersign/shared";
import {
  type CeremonyOverrides,
  createSoftAuthenticator,
} from "@countersign/test-kit/soft-authenticator";
import { verifyAuthenticationResponse } from "@simplewebauthn/server";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { webauthn } from "./webauthn.js";

// The broker's wrapper around SimpleWebAuthn and the shared verifier must give one verdict, for one reason.

const origin = "https://example.org";
const rpId = "example.org";
const authenticator = createSoftAuthenticator({ rpId, origin });
const challenge = randomBytes(32);
const expectation = {
  challenge: toBase64url(challenge),
  origin,
  rpId,
  credential: authenticator.credential,
};

type Expectation = typeof expectation;

const verdictOf = async (verified: Promise<void>): Promise<string> =>
  verified.then(
    () => "accepted",
    (error: unknown) => {
      if (!(error instanceof ProtocolError)) throw error;
      return `${error.code} ${error.reason ?? ""}`;
    },
  );

async function verdicts(given: Assertion, expected: Expectation = expectation) {
  return {
    wrapper: await verdictOf(webauthn.verifyAssertion(given, expected)),
    shared: await verdictOf(verifyAssertion(given, expected)),
  };
}

const refused = (reason: string) => ({
  wrapper: `assertion_invalid ${reason}`,
  shared: `assertion_invalid ${reason}`,
});

const changed = (given: Assertion, response: Partial<Assertion["response"]>): Assertion => ({
  ...given,
  response: { ...given.response, ...response },
});

describe("both verifiers", () => {
  it("accept an honest assertion", async () => {
    expect(await verdicts(await authenticator.assert(challenge))).toEqual({
      wrapper: "accepted",
      shared: "accepted",
    });
  });

  it.each<[string, CeremonyOverrides]>([
    ["cross_origin", { crossOrigin: true }],
    ["cross_origin", { topOrigin: "https://example.com" }],
    ["cross_origin", { crossOrigin: true, topOrigin: "https://example.com" }],
    ["cross_origin", { topOrigin: origin }],
    ["origin", { origin: "https://example.org.evil.example" }],
    ["origin", { origin: "http://example.org" }],
    ["type", { type: "webauthn.create" }],
    ["type", { type: "payment.get" }],
    ["rp_id", { rpId: "evil.example" }],
    ["user_presence", { flags: { up: false } }],
    ["user_verification", { flags: { uv: false } }],
    ["user_presence", { flags: { up: false, uv: false } }],
    ["backup_eligibility", { flags: { be: false, bs: false } }],
    ["backup_eligibility", { flags: { be: false, bs: true } }],
    ["challenge", { extraClientData: { challenge: toBase64url(randomBytes(32)) } }],
    ["client_data", { extraClientData: { challenge: 7 } }],
    ["client_data", { extraClientData: { crossOrigin: "false" } }],
    ["signature", { tamperSignature: (der) => der.subarray(0, der.length - 1) as Bytes }],
  ])("refuse for %s: %j", async (reason, overrides) => {
    expect(await verdicts(await authenticator.assert(challenge, overrides))).toEqual(
      refused(reason),
    );
  });

  it("refuse another credential's answer", async () => {
    const other = createSoftAuthenticator({ rpId, origin });
    const given = { ...(await other.assert(challenge)), id: authenticator.credential.id };
    expect(await verdicts(given)).toEqual(refused("signature"));
    expect(await verdicts(await other.assert(challenge))).toEqual(refused("credential"));
  });

  it("ignore the counter: it is a signal, not a proof", async () => {
    for (const counter of [0, 5, 4, 0xffff_ffff]) {
      const verdict = await verdicts(await authenticator.assert(challenge, { counter }));
      expect(verdict).toEqual({ wrapper: "accepted", shared: "accepted" });
    }
  });
});

describe("a mutated assertion", () => {
  it.each(["authenticatorData", "clientDataJSON", "signature"] as const)(
    "is refused wherever a byte of %s is changed",
    async (part) => {
      const honest = await authenticator.assert(challenge);
      const octets = fromBase64url(honest.response[part]);
      for (let index = 0; index < octets.length; index++) {
        const bytes = octets.slice();
        bytes[index] = (bytes[index] ?? 0) ^ (1 << (index % 8));
        const { wrapper, shared } = await verdicts(changed(honest, { [part]: toBase64url(bytes) }));
        expect(wrapper, `byte ${index}`).toBe(shared);
        expect(wrapper).not.toBe("accepted");
      }
    },
  );

  it("is refused when any part is cut, lengthened or replaced", async () => {
    const honest = await authenticator.assert(challenge);
    const parts = ["authenticatorData", "clientDataJSON", "signature"] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...parts),
        fc.nat(400),
        fc.uint8Array({ maxLength: 40 }),
        async (part, cut, tail) => {
          const octets = fromBase64url(honest.response[part]);
          const bytes = concat(octets.subarray(0, cut % (octets.length + 1)), tail);
          const given = changed(honest, { [part]: toBase64url(bytes) });
          const { wrapper, shared } = await verdicts(given);
          expect(wrapper).toBe(shared);
          if (toBase64url(bytes) !== honest.response[part]) expect(wrapper).not.toBe("accepted");
        },
      ),
      { numRuns: 150 },
    );
  });

  it("is refused with a signature in any spelling but the one DER", async () => {
    const honest = await authenticator.assert(challenge);
    const { r, s } = readDer(fromBase64url(honest.response.signature));
    for (const [name, der] of otherSpellings(r, s)) {
      const given = changed(honest, { signature: toBase64url(der) });
      expect(await verdicts(given), name).toEqual(refused("signature"));
    }
  });
});

/** r and s as DER integers' contents. */
function readDer(der: Bytes): { r: Bytes; s: Bytes } {
  const rLength = der[3] ?? 0;
  const sLength = der[5 + rLength] ?? 0;
  return { r: der.slice(4, 4 + rLength), s: der.slice(6 + rLength, 6 + rLength + sLength) };
}

const tlv = (tag: number, ...content: Uint8Array[]): Bytes => {
  const whole = concat(...content);
  return concat(Uint8Array.of(tag, whole.length), whole);
};

/** BER and worse: r and s are right in most of these, only the encoding is not. */
function otherSpellings(r: Bytes, s: Bytes): [string, Bytes][] {
  const integers = concat(tlv(0x02, r), tlv(0x02, s));
  const honest = tlv(0x30, integers);
  const longLength = concat(Uint8Array.of(0x30, 0x81, integers.length), integers);
  const longInteger = concat(Uint8Array.of(0x02, 0x81, r.length), r, tlv(0x02, s));
  const trailing = Uint8Array.of(0x00);
  return [
    ["a length in the long form", longLength],
    [
      "a length with a leading zero",
      concat(Uint8Array.of(0x30, 0x82, 0, integers.length), integers),
    ],
    [
      "an integer's length in the long form",
      concat(Uint8Array.of(0x30, longInteger.length), longInteger),
    ],
    ["an indefinite length", concat(Uint8Array.of(0x30, 0x80), integers, Uint8Array.of(0, 0))],
    ["a byte after the sequence", concat(honest, trailing)],
    ["a byte after s inside the sequence", tlv(0x30, integers, trailing)],
    ["a third integer", tlv(0x30, integers, tlv(0x02, Uint8Array.of(1)))],
    ["r with a zero in front", tlv(0x30, tlv(0x02, trailing, r), tlv(0x02, s))],
    ["s with a zero in front", tlv(0x30, tlv(0x02, r), tlv(0x02, trailing, s))],
    ["a NULL in the end", tlv(0x30, integers, Uint8Array.of(0x05, 0x00))],
    ["the set tag", tlv(0x31, integers)],
    ["an octet string for r", tlv(0x30, tlv(0x04, r), tlv(0x02, s))],
    ["an empty r", tlv(0x30, tlv(0x02), tlv(0x02, s))],
    ["r only", tlv(0x30, tlv(0x02, r))],
    ["r and s exchanged", tlv(0x30, tlv(0x02, s), tlv(0x02, r))],
    ["zero for both", tlv(0x30, tlv(0x02, trailing), tlv(0x02, trailing))],
    ["the raw form", concat(r.slice(-32), s.slice(-32))],
    ["nothing", new Uint8Array()],
  ];
}

describe("the broker's verdict, held to SimpleWebAuthn's", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const credential: Credential = {
    id: toBase64url(randomBytes(16)),
    jwk: { kty: "EC", crv: "P-256", x, y },
    be: true,
  };
  const cose = Buffer.concat([
    Buffer.from("a5010203262001215820", "hex"),
    Buffer.from(x, "base64url"),
    Buffer.from("225820", "hex"),
    Buffer.from(y, "base64url"),
  ]);
  const expected = { challenge: toBase64url(challenge), origin, rpId, credential };

  /** Any bytes, correctly signed: what is judged is what they say. */
  const signedOver = (data: Buffer, client: string): Assertion => {
    const hashed = createHash("sha256").update(client).digest();
    const signature = sign("sha256", Buffer.concat([data, hashed]), privateKey);
    const [clientDataJSON, authenticatorData] = [Buffer.from(client), data].map(toBase64url) as [
      string,
      string,
    ];
    return {
      id: credential.id,
      response: { clientDataJSON, authenticatorData, signature: toBase64url(signature) },
    };
  };
  const rpIdHash = createHash("sha256").update(rpId).digest("hex");
  const honestClient = { type: "webauthn.get", challenge: expected.challenge, origin };
  const dataOf = (flags: string, rest = "") =>
    Buffer.from(`${rpIdHash}${flags}00000000${rest}`, "hex");

  const oracle = async ({ id, response }: Assertion): Promise<string> => {
    const answer = { id, rawId: id, type: "public-key" as const, clientExtensionResults: {} };
    const { clientDataJSON, authenticatorData, signature } = response;
    return verifyAuthenticationResponse({
      response: { ...answer, response: { clientDataJSON, authenticatorData, signature } },
      expectedChallenge: expected.challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      credential: { id, publicKey: Uint8Array.from(cose), counter: 0 },
    }).then(
      ({ verified }) => (verified ? "accepted" : "refused"),
      () => "refused",
    );
  };
  const ours = async (given: Assertion): Promise<string> =>
    verdictOf(webauthn.verifyAssertion(given, expected));

  it("is the same for whatever an authenticator may sign", async () => {
    const extension = "a16b686d61632d73656372657440";
    const bodies = ["", "00", "40", extension, `${extension}00`, "ff", "a0", "81".repeat(60)];
    for (let flags = 0; flags < 256; flags++) {
      // Eligibility is this protocol's own rule.
      if ((flags & 0x08) === 0) continue;
      for (const body of bodies) {
        const data = dataOf(flags.toString(16).padStart(2, "0"), body);
        const given = signedOver(data, JSON.stringify(honestClient));
        const verdict = await ours(given);
        const name = `${flags} ${body}`;
        expect(verdict === "accepted" ? "accepted" : "refused", name).toBe(await oracle(given));
      }
    }
  });

  it("is the same for whatever a browser may say, but where this protocol is stricter", async () => {
    const members: Record<string, unknown> = {
      tokenBinding: [
        "present",
        "x",
        null,
        {},
        { status: "supported" },
        { status: "notSupported" },
        { status: "a" },
      ],
      crossOrigin: [true, false, null, 0, "false"],
      topOrigin: [origin, "https://example.com", null, ""],
      type: ["webauthn.get", "webauthn.create", ["webauthn.get"], null],
      origin: [origin, `${origin}/`, [origin], null, "https://EXAMPLE.org"],
      challenge: [expected.challenge, `${expected.challenge}=`, [expected.challenge], null],
      other: ["member", { nested: true }],
    };
    const stricter = /^(?:crossOrigin|topOrigin|tokenBinding) /;
    for (const [member, values] of Object.entries(members)) {
      for (const value of values as unknown[]) {
        const client = JSON.stringify({ ...honestClient, [member]: value });
        const given = signedOver(dataOf("1d"), client);
        const name = `${member} ${JSON.stringify(value)}`;
        const [verdict, judged] = [await ours(given), await oracle(given)];
        if (verdict === "accepted") expect(judged, name).toBe("accepted");
        else if (!stricter.test(name)) expect(judged, name).toBe("refused");
      }
    }
  });
});

const published = new URL(
  "../../../../../shared/vectors/webauthn-l3/webauthn-l3-test-vectors.json",
  import.meta.url,
);
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
const absent = !existsSync(published);
const vectors: PublishedVector[] = absent
  ? []
  : JSON.parse(readFileSync(published, "utf8")).vectors;

// w3c/webauthn at 146d0db, index.bs, section "Test Vectors".
describe.skipIf(absent)("the W3C's test vectors", () => {
  const expected: Record<string, string> = {
    "none-es256": "user_verification",
    "packed-self-es256": "user_verification",
    "none-es256-crossOrigin": "cross_origin",
    "none-es256-topOrigin": "cross_origin",
    "none-es256-long-credential-id": "accepted",
    "packed-es256": "accepted",
    "tpm-es256": "accepted",
    "android-key-es256": "user_verification",
    "apple-es256": "user_verification",
    "fido-u2f-es256": "user_verification",
  };
  const named = vectors.map((vector) => ({
    ...vector,
    name: vector.id.replace("sctn-test-vectors-", ""),
  }));

  it("of ES256 are all judged", () => {
    const judged = named.filter(({ name }) => name.includes("es256")).map(({ name }) => name);
    expect(judged.sort()).toEqual(Object.keys(expected).sort());
  });

  it.each(named)("$name has one verdict for one reason", async (vector) => {
    const { name, registration, authentication } = vector;
    const jwk = p256KeyOf(registration.attestationObject);
    // A key that is not P-256 cannot even be written down; whatever it signed fails under any other.
    const credential: Credential = {
      id: textOf(registration.credential_id),
      jwk: jwk ?? authenticator.credential.jwk,
      be: (Number.parseInt(authentication.authenticatorData.slice(64, 66), 16) & 0x08) !== 0,
    };
    const { wrapper, shared } = await verdicts(
      {
        id: credential.id,
        response: {
          clientDataJSON: textOf(authentication.clientDataJSON),
          authenticatorData: textOf(authentication.authenticatorData),
          signature: textOf(authentication.signature),
        },
      },
      { challenge: textOf(authentication.challenge), origin, rpId, credential },
    );
    expect(wrapper).toBe(shared);
    const verdict = expected[name];
    if (verdict === undefined) expect(wrapper).not.toBe("accepted");
    else if (verdict === "accepted") expect(wrapper).toBe("accepted");
    else expect(wrapper).toBe(`assertion_invalid ${verdict}`);
  });
});

const textOf = (hex: string): string => Buffer.from(hex, "hex").toString("base64url");

/** The COSE key {1: 2, 3: -7, -1: 1, -2: x, -3: y} inside an attestation object. */
function p256KeyOf(hex: string): Credential["jwk"] | undefined {
  const [, x, y] = /a5010203262001215820(.{64})225820(.{64})/.exec(hex) ?? [];
  return x && y ? { kty: "EC", crv: "P-256", x: textOf(x), y: textOf(y) } : undefined;
}

describe("a registration", () => {
  const site = { issuer: origin, rp_id: rpId, origin };
  const register = async (overrides: CeremonyOverrides = {}, bent: object = {}) => {
    const made = await authenticator.register(challenge, overrides);
    return webauthn
      .verifyRegistration({ ...made, ...bent }, { challenge: toBase64url(challenge), site })
      .then(
        () => "accepted",
        (error: { code: string }) => error.code,
      );
  };

  it("is taken when it is honest", async () => {
    expect(await register()).toBe("accepted");
  });

  it.each<CeremonyOverrides>([
    { crossOrigin: true },
    { topOrigin: "https://example.com" },
    { origin: "https://evil.example" },
    { type: "webauthn.get" },
    { rpId: "evil.example" },
    { flags: { up: false } },
    { flags: { uv: false } },
    { flags: { be: false, bs: true } },
    { extraClientData: { challenge: toBase64url(randomBytes(32)) } },
  ])("is refused with %j", async (overrides) => {
    expect(await register(overrides)).toBe("registration_invalid");
  });

  it("is refused under another credential's id", async () => {
    const id = toBase64url(randomBytes(16));
    expect(await register({}, { id })).toBe("registration_invalid");
  });

  it("is refused when what was attested is no key of ours", async () => {
    const made = await authenticator.register(challenge);
    const hex = Buffer.from(made.response.attestationObject, "base64url").toString("hex");
    const bends: Record<string, string> = {
      ES384: hex.replace("a501020326", "a501020322"),
      "another curve": hex.replace("2001215820", "2002215820"),
      "deep nesting": `${"81".repeat(5000)}00`,
      "no CBOR": "ff",
      nothing: "",
    };
    for (const [name, bent] of Object.entries(bends)) {
      const response = { ...made.response, attestationObject: textOf(bent) };
      expect(await register({}, { response }), name).toBe("registration_invalid");
    }
  });
});
