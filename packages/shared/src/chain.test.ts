import { beforeAll, expect, test } from "vitest";
import { fromBase64url, randomNonce, toBase64url } from "./bytes.js";
import { siteChallenge } from "./ceremony.js";
import {
  type ChainLink,
  type ChainRoot,
  chainChallenge,
  chainHead,
  chainRootBytes,
  verifyChainRoot,
} from "./chain.js";
import { createApprover, flipByte, site } from "./fixture.js";
import { hashBytes, type Purpose } from "./hash.js";
import { canonicalBytes } from "./json.js";

let person: Awaited<ReturnType<typeof createApprover>>;
let root: ChainRoot;
beforeAll(async () => {
  person = await createApprover();
  const subject = { credential: person.authenticator.credential, device: person.device.keys };
  const bytes = chainRootBytes({
    site,
    approver: person.approver,
    subject,
    brokerNonce: randomNonce(),
  });
  root = JSON.parse(Buffer.from(bytes).toString());
});

async function link(members: object = root, purpose: Purpose = "credential"): Promise<ChainLink> {
  const bytes = canonicalBytes(members);
  return {
    statement: toBase64url(bytes),
    assertion: await person.authenticator.assert(hashBytes(purpose, bytes)),
    device_signature: await person.device.sign(purpose, bytes),
  };
}

test("a root is verified by the credential and the device that it names; its head is its challenge", async () => {
  const bytes = canonicalBytes(root);
  expect(await verifyChainRoot(await link(), site)).toEqual({ root, head: chainHead(bytes) });
  expect(toBase64url(chainChallenge(bytes))).toBe(chainHead(bytes));
});

test("one factor alone never counts", async () => {
  const honest = await link();
  const other = await link({ ...root, broker_nonce: randomNonce() });
  await expect(
    verifyChainRoot({ ...honest, device_signature: other.device_signature }, site),
  ).rejects.toMatchObject({ code: "device_signature_invalid" });
  await expect(
    verifyChainRoot({ ...honest, assertion: other.assertion }, site),
  ).rejects.toMatchObject({ code: "assertion_invalid", reason: "challenge" });
});

test.each(["issuer", "rp_id"])("a root of another %s is refused", async (member) => {
  const other = await link({ ...root, [member]: "other.example" });
  await expect(verifyChainRoot(other, site)).rejects.toMatchObject({ code: "invalid_binding" });
});

test.each([[{ op: "add" }], [{ seq: 1 }], [{ prev: null }], [{ v: 2 }], [{ subject: {} }]])(
  "a root with %j is refused",
  async (change) => {
    await expect(verifyChainRoot(await link({ ...root, ...change }), site)).rejects.toMatchObject({
      code: "unknown_member",
    });
  },
);

test("a root that names another's credential or device is refused", async () => {
  const other = await createApprover();
  const { credential, device } = root.subject;
  const foreignDevice = { ...root, subject: { credential, device: other.device.keys } };
  await expect(verifyChainRoot(await link(foreignDevice), site)).rejects.toMatchObject({
    code: "device_signature_invalid",
  });
  const foreignCredential = {
    ...root,
    subject: { credential: other.authenticator.credential, device },
  };
  await expect(verifyChainRoot(await link(foreignCredential), site)).rejects.toMatchObject({
    code: "assertion_invalid",
  });
});

test("a root with any byte changed is refused", async () => {
  const honest = await link();
  const bytes = fromBase64url(honest.statement);
  for (let index = 0; index < bytes.length; index++) {
    const statement = toBase64url(flipByte(bytes, index));
    await expect(verifyChainRoot({ ...honest, statement }, site)).rejects.toThrow(
      expect.objectContaining({ name: "ProtocolError" }),
    );
  }
});

test.each<Purpose>(["device", "pair", "register"])(
  "a root signed for the purpose %s is refused",
  async (purpose) => {
    await expect(verifyChainRoot(await link(root, purpose), site)).rejects.toMatchObject({
      code: "assertion_invalid",
    });
  },
);

test("signing in and registering are over this site, this nonce and their own purpose", () => {
  const nonce = randomNonce();
  const challenges = [
    siteChallenge("login", site, nonce),
    siteChallenge("register", site, nonce),
    siteChallenge("login", site, randomNonce()),
    siteChallenge("login", { ...site, origin: "https://other.example" }, nonce),
    siteChallenge("login", { ...site, rp_id: "other.example" }, nonce),
    siteChallenge("login", { ...site, issuer: "https://other.example" }, nonce),
  ].map(toBase64url);
  expect(new Set(challenges).size).toBe(challenges.length);
});
