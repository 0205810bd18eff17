import { beforeAll, describe, expect, test } from "vitest";
import { createSoftAuthenticator } from "../../test-kit/src/soft-authenticator.js";
import { createSoftDevice } from "../../test-kit/src/soft-device.js";
import {
  type Bytes,
  fromBase64url,
  randomBytes,
  randomId,
  randomNonce,
  toBase64url,
} from "./bytes.js";
import {
  type ChainHead,
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
import type { Site } from "./site.js";

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
const newPasskey = () => {
  const passkey = createSoftAuthenticator({ rpId: site.rp_id, origin: site.origin });
  return { passkey, byPasskey: { authenticator: passkey, device: person.device } };
};
const addPasskey = ({ credential }: Pick<Signer["authenticator"], "credential">): KeyChange => ({
  op: "add",
  subject: { credential },
});
const dropPasskey = ({ authenticator }: Signer): KeyChange => ({
  op: "revoke",
  subject: { credential_id: authenticator.credential.id },
});

/** The link after the root, correctly signed, with one thing in it that is not as it should be. */
async function forge(change: {
  site?: Site;
  approver?: string;
  after?: (root: ChainHead) => ChainHead;
}): Promise<ChainLink> {
  const { device } = await phone();
  const at = { seq: 0, head: rootHead };
  const bytes = keyStatementBytes({
    site: change.site ?? site,
    approver: change.approver ?? person.approver,
    after: change.after?.(at) ?? at,
    change: { op: "add", subject: { device: device.keys } },
    brokerNonce: randomNonce(),
  });
  return sign(bytes, "device", person);
}

const binding = { code: "invalid_binding" };
const reason = (why: string) => ({ code: "chain_invalid", reason: why });
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

test("a chain goes on by passkeys too, each signed for as what it is", async () => {
  const { passkey, byPasskey } = newPasskey();
  const chain = await verify(
    await chainOf([addPasskey(passkey)], [dropPasskey(person), byPasskey]),
  );
  expect(chain.live.credentials).toEqual([passkey.credential]);
  expect(chain.live.devices).toEqual([person.device.keys]);
  expect(chain.everyDevice).toEqual([person.device.keys]);
  expect(chain.links.map(({ signedBy }) => signedBy.credentialId)).toEqual([
    person.authenticator.credential.id,
    passkey.credential.id,
  ]);
});

test("a chain goes through every place that was seen of it", async () => {
  const links = await chainOf([add(await phone())], [add(await phone())]);
  const { heads, root: first, live } = await verify(links);
  const seen = heads.map((head, seq) => ({ seq, head }));
  expect((await verify(links, seen)).heads).toEqual(heads);
  expect(first).toEqual({
    credentials: [person.authenticator.credential],
    devices: [person.device.keys],
  });
  expect(live.devices).toHaveLength(3);
});

test("so many keys of a kind may live, and not one more", async () => {
  const phones = await Promise.all(Array.from({ length: maxLiveKeys - 1 }, phone));
  const full = phones.map((each): [KeyChange] => [add(each)]);
  expect((await verify(await chainOf(...full))).live.devices).toHaveLength(maxLiveKeys);
  const passkeys = Array.from({ length: maxLiveKeys - 1 }, newPasskey);
  const all = passkeys.map(({ passkey }): [KeyChange] => [addPasskey(passkey)]);
  expect((await verify(await chainOf(...all))).live.credentials).toHaveLength(maxLiveKeys);
  const oneMore = await chainOf(...all, [addPasskey(newPasskey().passkey)]);
  await expect(verify(oneMore)).rejects.toMatchObject({ code: "too_many_keys" });
});

describe("a chain is refused", () => {
  test("when it has not even a root", async () => {
    await expect(verify([])).rejects.toMatchObject({ code: "chain_invalid", reason: "root" });
  });

  test.each<[string, Parameters<typeof forge>[0], object]>([
    ["is for another server", { site: { ...site, issuer: "https://other.example" } }, binding],
    ["is for another relying party", { site: { ...site, rp_id: "other.example" } }, binding],
    ["is in another's name", { approver: randomId() }, reason("approver")],
    ["leaves a place out", { after: (at) => ({ ...at, seq: at.seq + 1 }) }, reason("gap")],
    ["follows another link", { after: (at) => ({ ...at, head: randomNonce() }) }, reason("prev")],
  ])("when a link, though signed, %s", async (_what, change, refusal) => {
    await expect(verify([root, await forge(change)])).rejects.toMatchObject(refusal);
  });

  test("when the last passkey goes, or one that is not live", async () => {
    await expect(verify(await chainOf([dropPasskey(person)]))).rejects.toMatchObject({
      code: "last_key",
    });
    const { byPasskey } = newPasskey();
    await expect(verify(await chainOf([dropPasskey(byPasskey)]))).rejects.toMatchObject({
      reason: "not_live",
    });
  });

  test("when a key comes again under another name, or in another's company", async () => {
    const { passkey, byPasskey } = newPasskey();
    const renamed = { ...passkey.credential, id: randomId() };
    const again = await chainOf([addPasskey(passkey)], [addPasskey({ credential: renamed })]);
    await expect(verify(again)).rejects.toMatchObject({ reason: "key_twice" });
    const namesake = { ...newPasskey().passkey.credential, id: passkey.credential.id };
    const sameName = await chainOf([addPasskey(passkey)], [addPasskey({ credential: namesake })]);
    await expect(verify(sameName)).rejects.toMatchObject({ reason: "key_twice" });
    const back = await chainOf(
      [addPasskey(passkey)],
      [dropPasskey(byPasskey)],
      [addPasskey(passkey)],
    );
    await expect(verify(back)).rejects.toMatchObject({ reason: "key_twice" });
    const { device } = await phone();
    for (const shared of ["sig_jwk", "enc_jwk"] as const) {
      const keys = { ...device.keys, [shared]: person.device.keys[shared] };
      const halfOld = await chainOf([{ op: "add", subject: { device: keys } }]);
      await expect(verify(halfOld)).rejects.toMatchObject({ reason: "key_twice" });
    }
  });

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
    await expect(verifyChain([first], other)).rejects.toMatchObject(reason("approver"));
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

test("an agent counts no key twice, and none that one pinned key alone vouches for", async () => {
  const second = await phone();
  const chain = await verify(await chainOf([add(second)]));
  const credentials = [person.authenticator.credential];
  const both = { credentials, devices: [person.device.keys, second.device.keys] };
  expect(pinnedKeys(both, chain)).toEqual(both);
  const { passkey } = newPasskey();
  const otherPasskey = { credentials: [passkey.credential], devices: [person.device.keys] };
  expect(pinnedKeys(otherPasskey, chain)).toEqual(otherPasskey);
  const otherPhone = { credentials, devices: [(await phone()).device.keys] };
  expect(pinnedKeys(otherPhone, chain)).toEqual(otherPhone);
});

test("an agent with several keys adds what any two of them signed, but for what it has a part of", async () => {
  const [second, third] = [await phone(), await phone()];
  const { passkey } = newPasskey();
  const chain = await verify(await chainOf([addPasskey(passkey)], [add(second)], [add(third)]));
  const start = {
    credentials: [person.authenticator.credential, passkey.credential],
    devices: [person.device.keys, second.device.keys],
  };
  expect(pinnedKeys(start, chain)).toEqual({
    ...start,
    devices: [...start.devices, third.device.keys],
  });
  const halfThird = { ...third.device.keys, enc_jwk: (await phone()).device.keys.enc_jwk };
  const having = { ...start, devices: [...start.devices, halfThird] };
  expect(pinnedKeys(having, chain)).toEqual(having);
});

test("an agent drops a passkey that anybody revoked", async () => {
  const { passkey, byPasskey } = newPasskey();
  const chain = await verify(await chainOf([addPasskey(passkey)], [dropPasskey(byPasskey)]));
  expect(pinnedKeys(chain.root, chain)).toEqual(chain.root);
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
