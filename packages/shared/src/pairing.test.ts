import { beforeAll, describe, expect, test } from "vitest";
import { createSoftAuthenticator } from "../../test-kit/src/soft-authenticator.js";
import { fromBase64url, randomBytes, randomId, randomNonce, toBase64url, utf8 } from "./bytes.js";
import { createAgentKey, createApprover, flipByte, site } from "./fixture.js";
import { hashBytes } from "./hash.js";
import { canonicalBytes } from "./json.js";
import {
  compareDigits,
  nonceCommitment,
  type PairingAcceptance,
  type PairingOffer,
  type PairingStatement,
  pairingId,
  pairingLink,
  pairingMac,
  pairingSeconds,
  pairingStatementBytes,
  parsePairingLink,
  parsePairingStatement,
  signPairingOffer,
  verifyPairingMac,
  verifyPairingOffer,
  verifyPairingStatement,
} from "./pairing.js";

/** C2SP's example. */
const logKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const secret = randomBytes(32);
const nonce = randomBytes(32);
let agent: Awaited<ReturnType<typeof createAgentKey>>;
let person: Awaited<ReturnType<typeof createApprover>>;
let offer: PairingOffer;
let honest: PairingStatement;

beforeAll(async () => {
  agent = await createAgentKey();
  person = await createApprover();
  offer = {
    pairing_id: pairingId(secret),
    agent_jwk: agent.jwk,
    name: "Desk",
    host: "ada.local",
    commit: nonceCommitment(nonce),
    iss: agent.kid,
    aud: site.issuer,
    iat: 1_800_000_000,
    exp: 1_800_000_000 + pairingSeconds,
  };
  honest = parsePairingStatement(
    pairingStatementBytes({
      site,
      offer,
      logKey,
      approver: person.approver,
      credential: person.authenticator.credential,
      device: person.device.keys,
      chain: { seq: 0, head: randomNonce() },
      brokerNonce: randomNonce(),
      phoneNonce: randomNonce(),
    }),
  );
});

async function accept(members: object = honest, by = person): Promise<PairingAcceptance> {
  const bytes = canonicalBytes(members);
  return {
    statement: toBase64url(bytes),
    assertion: await by.authenticator.assert(hashBytes("pair", bytes)),
    device_signature: await by.device.sign("pair", bytes),
    mac: pairingMac(secret, bytes),
  };
}

const verify = (acceptance: PairingAcceptance) =>
  verifyPairingStatement(acceptance, { site, offer });

describe("the link", () => {
  test("reads back, and its fragment holds all that it says", () => {
    const link = pairingLink(site.origin, secret, agent.kid);
    expect(new URL(link).pathname).toBe("/pair");
    const read = parsePairingLink(` ${link}\n`, site.origin);
    expect(read).toEqual({ secret, agentJkt: agent.kid, pairingId: pairingId(secret) });
  });

  test.each<[string, (link: string) => string]>([
    ["of another origin", (link) => link.replace("https://", "https://evil.")],
    ["of an origin that starts alike", (link) => link.replace("/pair", ".evil.example/pair")],
    ["of another path", (link) => link.replace("/pair#", "/link#")],
    ["of another version", (link) => link.replace("#1.", "#2.")],
    ["in the query", (link) => link.replace("#", "?")],
    ["with a fourth part", (link) => `${link}.AAAA`],
    ["without a thumbprint", (link) => link.slice(0, link.lastIndexOf("."))],
    ["with a short secret", (link) => link.replace(/1\.../, "1.")],
    ["with a space inside", (link) => link.replace("#1.", "#1. ")],
    ["with an aliased thumbprint", (link) => alias(link)],
    ["of nothing", () => ""],
  ])("%s is refused", (_name, change) => {
    const link = pairingLink(site.origin, secret, agent.kid);
    expect(() => parsePairingLink(change(link), site.origin)).toThrow(
      expect.objectContaining({ code: "pairing_invalid" }),
    );
  });

  /** 32 bytes end in a character of which two bits do not count: the next one decodes alike. */
  function alias(link: string): string {
    return link.slice(0, -1) + String.fromCharCode(link.charCodeAt(link.length - 1) + 1);
  }
});

describe("the offer", () => {
  const expected = () => ({
    issuer: site.issuer,
    agentJkt: agent.kid,
    pairingId: pairingId(secret),
  });

  test("certifies itself", async () => {
    expect(await verifyPairingOffer(await signPairingOffer(offer, agent), expected())).toEqual(
      offer,
    );
  });

  test("of another agent, however well signed, is not the one of the link", async () => {
    const other = await createAgentKey();
    const theirs = { ...offer, agent_jwk: other.jwk, iss: other.kid };
    const jws = await signPairingOffer(theirs, other);
    await verifyPairingOffer(jws, { issuer: site.issuer });
    await expect(verifyPairingOffer(jws, expected())).rejects.toMatchObject({
      code: "invalid_binding",
    });
  });

  test("signed by another key than it carries is refused", async () => {
    const other = await createAgentKey();
    const jws = await signPairingOffer(offer, { ...other, kid: agent.kid });
    await expect(verifyPairingOffer(jws, expected())).rejects.toMatchObject({
      code: "invalid_binding",
    });
  });

  test.each<[string, () => object]>([
    ["another pairing id", () => ({ pairing_id: randomNonce() })],
    ["another issuer", () => ({ iss: randomNonce() })],
    ["another audience", () => ({ aud: "https://other.example" })],
    ["a life of more than ten minutes", () => ({ exp: offer.exp + 1 })],
    ["no life", () => ({ exp: offer.iat })],
  ])("with %s is refused, though signed", async (_name, change) => {
    const jws = await signPairingOffer({ ...offer, ...change() }, agent);
    await expect(verifyPairingOffer(jws, expected())).rejects.toMatchObject({
      code: "invalid_binding",
    });
  });
});

describe("P", () => {
  test("by both factors that it names is returned as read", async () => {
    const acceptance = await accept();
    expect(await verify(acceptance)).toEqual(honest);
    expect(() => verifyPairingMac(acceptance, secret)).not.toThrow();
  });

  test.each<[keyof PairingStatement, () => unknown]>([
    ["pairing_id", randomNonce],
    ["agent_jkt", randomNonce],
    ["agent_name", () => "Desk 2"],
    ["agent_host", () => "eve.local"],
    ["commit", randomNonce],
    ["issuer", () => "https://other.example"],
    ["rp_id", () => "other.example"],
    ["origin", () => "https://other.example"],
  ])("with another %s is refused, though signed", async (member, other) => {
    const acceptance = await accept({ ...honest, [member]: other() });
    await expect(verify(acceptance)).rejects.toMatchObject({ code: "invalid_binding" });
  });

  test.each<[string, object]>([
    ["not sealed", { sealed: false }],
    ["an unknown member", { extra: 1 }],
    ["a negative place in the chain", { chain: { seq: -1, head: "A".repeat(43) } }],
    ["another version", { v: 2 }],
  ])("with %s is refused", async (_name, change) => {
    const acceptance = await accept({ ...honest, ...change });
    await expect(verify(acceptance)).rejects.toMatchObject({ code: "unknown_member" });
  });

  test("with a log's key that is none is refused", async () => {
    const acceptance = await accept({ ...honest, log_key: logKey.replace("+A", "+B") });
    await expect(verify(acceptance)).rejects.toMatchObject({ code: "log_invalid" });
  });

  test("with any byte changed is refused", async () => {
    const acceptance = await accept();
    const bytes = fromBase64url(acceptance.statement);
    for (let index = 0; index < bytes.length; index++) {
      const changed = { ...acceptance, statement: toBase64url(flipByte(bytes, index)) };
      await expect(verify(changed)).rejects.toThrow(
        expect.objectContaining({ name: "ProtocolError" }),
      );
    }
  });

  test("naming a credential or a device that did not sign it is refused", async () => {
    const other = await createApprover();
    const foreignCredential = { ...honest, credential: other.authenticator.credential };
    await expect(verify(await accept(foreignCredential))).rejects.toMatchObject({
      code: "assertion_invalid",
    });
    const sameId = { id: honest.credential.id, jwk: other.authenticator.credential.jwk, be: true };
    await expect(verify(await accept({ ...honest, credential: sameId }))).rejects.toMatchObject({
      code: "assertion_invalid",
      reason: "signature",
    });
    await expect(
      verify(await accept({ ...honest, device: other.device.keys })),
    ).rejects.toMatchObject({ code: "device_signature_invalid" });
  });

  test("that lies about backup eligibility is refused", async () => {
    const credential = { ...honest.credential, be: false };
    await expect(verify(await accept({ ...honest, credential }))).rejects.toMatchObject({
      code: "assertion_invalid",
      reason: "backup_eligibility",
    });
  });

  test("signed on another site is refused", async () => {
    const acceptance = await accept();
    const elsewhere = createSoftAuthenticator({ rpId: site.rp_id, origin: "https://evil.example" });
    const members = { ...honest, credential: elsewhere.credential };
    const bytes = canonicalBytes(members);
    const forged = {
      ...acceptance,
      statement: toBase64url(bytes),
      assertion: await elsewhere.assert(hashBytes("pair", bytes)),
      device_signature: await person.device.sign("pair", bytes),
    };
    await expect(verify(forged)).rejects.toMatchObject({
      code: "assertion_invalid",
      reason: "origin",
    });
  });

  test("signed for another purpose is refused", async () => {
    const acceptance = await accept();
    const bytes = fromBase64url(acceptance.statement);
    const assertion = await person.authenticator.assert(hashBytes("approve", bytes));
    await expect(verify({ ...acceptance, assertion })).rejects.toMatchObject({
      reason: "challenge",
    });
    const device_signature = await person.device.sign("approve", bytes);
    await expect(verify({ ...acceptance, device_signature })).rejects.toMatchObject({
      code: "device_signature_invalid",
    });
  });
});

describe("the mac", () => {
  const refusal = expect.objectContaining({ code: "pairing_invalid" });

  test("proves the link's secret: another secret, another P or a changed mac is refused", async () => {
    const acceptance = await accept();
    expect(() => verifyPairingMac(acceptance, randomBytes(32))).toThrow(refusal);
    const mac = toBase64url(flipByte(fromBase64url(acceptance.mac), 31));
    expect(() => verifyPairingMac({ ...acceptance, mac }, secret)).toThrow(refusal);
    const other = await accept({ ...honest, approver: randomId() });
    expect(() => verifyPairingMac({ ...other, mac: acceptance.mac }, secret)).toThrow(refusal);
  });

  test("cannot be made from the pairing's id, which the broker knows", async () => {
    const acceptance = await accept();
    const bytes = fromBase64url(acceptance.statement);
    const mac = pairingMac(fromBase64url(pairingId(secret)), bytes);
    expect(() => verifyPairingMac({ ...acceptance, mac }, secret)).toThrow(refusal);
  });
});

describe("the digits", () => {
  test("are six, and the same for phone and agent", () => {
    const bytes = canonicalBytes(honest);
    for (let count = 0; count < 200; count++) {
      const one = randomBytes(32);
      const committed = canonicalBytes({ ...honest, commit: nonceCommitment(one) });
      expect(compareDigits(committed, one)).toMatch(/^[0-9]{6}$/);
    }
    expect(compareDigits(bytes, nonce)).toBe(compareDigits(new Uint8Array(bytes), nonce));
  });

  test("are not shown for a nonce that was not committed to", () => {
    const bytes = canonicalBytes(honest);
    for (const other of [randomBytes(32), flipByte(nonce, 0), new Uint8Array(), utf8("x")]) {
      expect(() => compareDigits(bytes, other)).toThrow(
        expect.objectContaining({ code: "pairing_invalid" }),
      );
    }
  });

  test("are others for another P or another nonce", () => {
    const digits = new Set<string>();
    for (let count = 0; count < 50; count++) {
      digits.add(compareDigits(canonicalBytes({ ...honest, approver: randomId() }), nonce));
    }
    expect(digits.size).toBeGreaterThan(45);
  });
});
