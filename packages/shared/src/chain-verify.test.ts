import { beforeAll, describe, expect, test } from "vitest";
import { createSoftAuthenticator } from "../../test-kit/src/soft-authenticator.js";
import { createSoftDevice } from "../../test-kit/src/soft-device.js";
import { type Bytes, fromBase64url, randomBytes, randomNonce, toBase64url } from "./bytes.js";
import {
  type ChainLink,
  chainChallenge,
  chainHead,
  chainRootBytes,
  type KeyChange,
  type KeyPurpose,
  keyPurpose,
  keyStatementBytes,
} from "./chain.js";
import { maxLiveKeys, pinnedKeys, verifyChain } from "./chain-verify.js";
import { createApprover, flipByte, site } from "./fixture.js";
import { deviceLink, parseDeviceLink, requireLinkedKeys, verifyVouching, vouch } from "./link.js";
import { createRecoveryCode, recoveryCodeHash } from "./recovery.js";

type Person = Awaited<ReturnType<typeof createApprover>>;
type Signer = Pick<Person, "authenticator" | "device">;

let person: Person;
let root: ChainLink;
let rootHead: string;
beforeAll(async () => {
  person = await createApprover();
  const subject = { credential: person.authenticator.credential, device: person.device.keys };
  const bytes = chainRootBytes({
    site,
    approver: person.approver,
    subject,
    brokerNonce: randomNonce(),
  });
  rootHead = chainHead(bytes);
  root = await sign(bytes, "credential", person);
});

async function sign(bytes: Bytes, purpose: KeyPurpose, by: Signer): Promise<ChainLink> {
  const challenge = chainChallenge(bytes, purpose);
  return {
    statement: toBase64url(bytes),
    assertion: await by.authenticator.assert(challenge),
    device_signature: await by.device.sign(purpose, bytes),
  };
}

/** A chain that goes on from the root by these changes. */
async function chainOf(...changes: [KeyChange, Signer?][]): Promise<ChainLink[]> {
  const links = [root];
  let after = { seq: 0, head: rootHead };
  for (const [change, by = person] of changes) {
    const { approver } = person;
    const bytes = keyStatementBytes({ site, approver, after, change, brokerNonce: randomNonce() });
    links.push(await sign(bytes, keyPurpose(change), by));
    after = { seq: after.seq + 1, head: chainHead(bytes, keyPurpose(change)) };
  }
  return links;
}

const verify = (links: readonly ChainLink[], seen?: { seq: number; head: string }[]) =>
  verifyChain(links, { site, approver: person.approver, ...(seen ? { seen } : {}) });
const phone = async (): Promise<Signer> => ({
  authenticator: person.authenticator,
  device: await createSoftDevice(),
});
const add = ({ device }: Signer): KeyChange => ({ op: "add", subject: { device: device.keys } });
const revoke = ({ device }: Signer): KeyChange => ({
  op: "revoke",
  subject: { device_kid: device.kid },
});

test("a chain is verified from its root, and says which keys live at its end", async () => {
  const second = await phone();
  const chain = await verify(await chainOf([add(second)], [revoke(person), second]));
  expect(chain.seq).toBe(2);
  expect(chain.live.devices).toEqual([second.device.keys]);
  expect(chain.everyDevice).toHaveLength(2);
  expect(chain.links.map(({ signedBy }) => signedBy.deviceKid)).toEqual([
    person.device.kid,
    second.device.kid,
  ]);
});

describe("a chain is refused", () => {
  test("when a link is left out, moved, or another approver's", async () => {
    const [a, b] = [await phone(), await phone()];
    const [first, one, two] = (await chainOf([add(a)], [add(b)])) as [
      ChainLink,
      ChainLink,
      ChainLink,
    ];
    for (const links of [
      [first, two],
      [first, two, one],
      [one, two],
      [first, one, one],
    ]) {
      await expect(verify(links)).rejects.toMatchObject({ name: "ProtocolError" });
    }
    const other = { site, approver: (await createApprover()).approver };
    await expect(verifyChain([first], other)).rejects.toMatchObject({ code: "chain_invalid" });
  });

  test("when it does not go through what was seen: cut short, or forked", async () => {
    const longer = await verify(await chainOf([add(await phone())]));
    const seen = [{ seq: longer.seq, head: longer.head }];
    await expect(verify([root], seen)).rejects.toMatchObject({ code: "chain_rolled_back" });
    const fork = await chainOf([add(await phone())]);
    await expect(verify(fork, seen)).rejects.toMatchObject({ code: "chain_fork" });
  });

  test("when one byte of a link is another", async () => {
    const [first, link] = (await chainOf([add(await phone())])) as [ChainLink, ChainLink];
    const bytes = fromBase64url(link.statement);
    for (let index = 0; index < bytes.length; index++) {
      const statement = toBase64url(flipByte(bytes, index));
      await expect(verify([first, { ...link, statement }])).rejects.toMatchObject({
        name: "ProtocolError",
      });
    }
  });

  test("when one factor is missing, foreign, revoked, or signed for another purpose", async () => {
    const [second, third] = [await phone(), await phone()];
    const foreign = { ...person, authenticator: (await createApprover()).authenticator };
    await expect(verify(await chainOf([add(second), foreign]))).rejects.toMatchObject({
      code: "credential_unknown",
    });
    await expect(verify(await chainOf([add(second), third]))).rejects.toMatchObject({
      code: "device_signature_invalid",
    });
    const revoked = await chainOf([add(second)], [revoke(second)], [add(third), second]);
    await expect(verify(revoked)).rejects.toMatchObject({ code: "device_signature_invalid" });
    const [first, link] = (await chainOf([add(second)])) as [ChainLink, ChainLink];
    const bytes = fromBase64url(link.statement);
    const elsewhere = { ...link, device_signature: await person.device.sign("credential", bytes) };
    await expect(verify([first, elsewhere])).rejects.toMatchObject({
      code: "device_signature_invalid",
    });
    const assertion = await person.authenticator.assert(chainChallenge(bytes, "credential"));
    await expect(verify([first, { ...link, assertion }])).rejects.toMatchObject({
      code: "assertion_invalid",
    });
  });

  test("when a key comes twice or back, the last one goes, or there are too many", async () => {
    const second = await phone();
    await expect(verify(await chainOf([add(person)]))).rejects.toMatchObject({
      reason: "key_twice",
    });
    const back = await chainOf([add(second)], [revoke(second)], [add(second)]);
    await expect(verify(back)).rejects.toMatchObject({ reason: "key_twice" });
    await expect(verify(await chainOf([revoke(person)]))).rejects.toMatchObject({
      code: "last_key",
    });
    await expect(verify(await chainOf([revoke(second)]))).rejects.toMatchObject({
      reason: "not_live",
    });
    const many = await Promise.all(Array.from({ length: maxLiveKeys }, phone));
    const crowd = many.map((each): [KeyChange] => [add(each)]);
    await expect(verify(await chainOf(...crowd))).rejects.toMatchObject({ code: "too_many_keys" });
  });
});

test("an agent adds what two pinned keys signed, and drops what anybody revoked", async () => {
  const passkey = createSoftAuthenticator({ rpId: site.rp_id, origin: site.origin });
  const own = { authenticator: passkey, device: await createSoftDevice() };
  const [byFirst, byHalf, byOtherHalf, byOwn] = [
    await phone(),
    await phone(),
    await phone(),
    await phone(),
  ];
  const chain = await verify(
    await chainOf(
      [{ op: "add", subject: { credential: passkey.credential } }],
      [add(own)],
      [add(byFirst)],
      [add(byHalf), { authenticator: passkey, device: person.device }],
      [add(byOtherHalf), { authenticator: person.authenticator, device: own.device }],
      [add(byOwn), own],
      [revoke(own)],
    ),
  );
  const start = { credentials: [passkey.credential], devices: [own.device.keys] };
  expect(pinnedKeys(start, chain)).toEqual({
    credentials: [passkey.credential],
    devices: [byOwn.device.keys],
  });
});

test("a link leads to the keys that it names and to no others; its vouching is good for one head", async () => {
  const secret = randomBytes(32);
  const keys = {
    device: (await createSoftDevice()).keys,
    credential: person.authenticator.credential,
  };
  const link = parseDeviceLink(` ${deviceLink(site.origin, secret, keys)}\n`, site.origin);
  requireLinkedKeys(link, keys);
  const other = (await createSoftDevice()).keys;
  for (const swapped of [
    { ...keys, device: other },
    { ...keys, device: { ...keys.device, enc_jwk: other.enc_jwk } },
    { ...keys, credential: { ...keys.credential, be: !keys.credential.be } },
    { device: keys.device },
  ]) {
    expect(() => requireLinkedKeys(link, swapped)).toThrow(
      expect.objectContaining({ code: "link_invalid" }),
    );
  }
  for (const text of ["", "https://evil.example/link#1.a.b.c", `${site.origin}/pair#1.a.b`]) {
    expect(() => parseDeviceLink(text, site.origin)).toThrow();
  }
  const at = { seq: 3, head: randomNonce() };
  const vouched = vouch(secret, person.approver, at);
  expect(verifyVouching(secret, vouched)).toEqual(at);
  for (const forged of [
    { ...vouched, seq: 2 },
    { ...vouched, head: randomNonce() },
    { ...vouched, approver: toBase64url(randomBytes(16)) },
  ]) {
    expect(() => verifyVouching(secret, forged)).toThrow();
  }
});

test("a recovery code is known however it is typed, and nothing else is one", () => {
  const code = createRecoveryCode();
  expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}$/);
  const typed = code.toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "l");
  expect(recoveryCodeHash(typed)).toBe(recoveryCodeHash(code));
  for (const wrong of ["", code.slice(1), `${code}0`, code.replace(/.$/, "U")]) {
    expect(() => recoveryCodeHash(wrong)).toThrow(
      expect.objectContaining({ code: "recovery_invalid" }),
    );
  }
});
