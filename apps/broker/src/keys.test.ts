import {
  type ChainLink,
  canonicalBytes,
  type DeviceKeys,
  fromBase64url,
  hashBytes,
  type KeyChange,
  keyPurpose,
  keyStatementBytes,
  randomNonce,
  sha256Text,
  siteStatementBytes,
  thumbprint,
  utf8,
  vouch,
} from "@countersign/shared";
import { createSoftAuthenticator } from "@countersign/test-kit/soft-authenticator";
import { createSoftDevice } from "@countersign/test-kit/soft-device";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attackedWorld, codeOf, flip, positions, refusalOf, type World } from "./testing/attack.js";
import { enrolledPhone } from "./testing/harness.js";

let world: World;
let phone: SoftPhone;
beforeEach(async () => {
  world = await attackedWorld();
  phone = world.phone;
});
afterEach(() => world.close());

const newDevice = async (): Promise<KeyChange> => ({
  op: "add",
  subject: { device: (await createSoftDevice()).keys },
});

const newPhone = (syncedWith?: SoftPhone): Promise<SoftPhone> =>
  createSoftPhone({ origin: world.broker.site.origin, ...(syncedWith ? { syncedWith } : {}) });

/** A second phone of the same approver, enrolled by a link and signed in. */
async function secondPhone(ownPasskey = false): Promise<SoftPhone> {
  const second = await newPhone(ownPasskey ? undefined : phone);
  const offered = await second.keys.offerLink({ ownPasskey });
  await phone.keys.addByLink(offered.link);
  await offered.added();
  await second.signIn();
  return second;
}

const send = (link: ChainLink): Promise<string> =>
  phone
    .call("POST", "/app/keys", { link })
    .then((answer) => (answer.ok ? "accepted" : refusalOf(answer)));

const bare = ({ statement, assertion, device_signature }: ChainLink): ChainLink => ({
  statement,
  assertion,
  device_signature,
});

async function linkAfter(after: { seq: number; head: string }, change?: KeyChange) {
  const given = change ?? (await newDevice());
  const bytes = keyStatementBytes({
    site: world.broker.site,
    approver: phone.approver(),
    after,
    change: given,
    brokerNonce: await phone.nonce(keyPurpose(given)),
  });
  return phone.keys.signLink(bytes, given);
}

describe("a chain goes on only", () => {
  it("from its end: no gap, no fork, no second first link", async () => {
    const { seq, head } = await phone.keys.chain();
    expect(await send(await linkAfter({ seq: seq + 1, head }))).toBe("chain_stale");
    expect(await send(await linkAfter({ seq, head: randomNonce() }))).toBe("chain_invalid");
    await phone.keys.change(await newDevice());
    expect(await send(await linkAfter({ seq, head }))).toBe("chain_stale");
  });

  it("by both factors, over the very same bytes", async () => {
    const honest = bare(await phone.keys.signChange(await newDevice()));
    const other = bare(await phone.keys.signChange(await newDevice()));
    expect(await send({ ...honest, assertion: other.assertion })).toBe("assertion_invalid");
    expect(await send({ ...honest, device_signature: other.device_signature })).toBe(
      "device_signature_invalid",
    );
    for (const position of positions(honest.statement, 12)) {
      expect(await send({ ...honest, statement: flip(honest.statement, position) })).not.toBe(
        "accepted",
      );
    }
    expect(await send(honest)).toBe("accepted");
  });

  it("by keys that are in it: a row that the server alone made signs nothing", async () => {
    const forger = { device: await createSoftDevice() };
    const { sig_jwk, enc_jwk } = forger.device.keys;
    await world.sql`insert into device (kid, approver, sig_jwk, enc_jwk) values
      (${forger.device.kid}, ${phone.approver()}, ${sig_jwk}, ${enc_jwk})`;
    const change = await newDevice();
    expect(await send(bare(await phone.keys.signChange(change, forger)))).toBe(
      "device_signature_invalid",
    );
    const site = { rpId: world.broker.site.rp_id, origin: world.broker.site.origin };
    const authenticator = createSoftAuthenticator(site);
    expect(await send(bare(await phone.keys.signChange(change, { authenticator })))).toBe(
      "credential_unknown",
    );
  });

  it("by keys that were not revoked before", async () => {
    const second = await secondPhone();
    const stale = await second.keys.chain();
    await phone.keys.revokeDevice(second.device.kid);
    const change = await newDevice();
    expect(stale.live.devices).toHaveLength(2);
    expect(await send(bare(await phone.keys.signChange(change, { device: second.device })))).toBe(
      "device_signature_invalid",
    );
  });

  it("for its purpose and its nonce, once", async () => {
    const change = await newDevice();
    const after = await phone.keys.chain();
    const parts = { site: world.broker.site, approver: phone.approver(), after, change };
    const asCredential = keyStatementBytes({
      ...parts,
      brokerNonce: await phone.nonce("credential"),
    });
    expect(await send(await phone.keys.signLink(asCredential, change))).toBe("nonce_stale");
    const invented = keyStatementBytes({ ...parts, brokerNonce: randomNonce() });
    expect(await send(await phone.keys.signLink(invented, change))).toBe("nonce_stale");
    const forAnotherKind = {
      op: "add",
      subject: { credential: phone.authenticator.credential },
    } as const;
    const bytes = keyStatementBytes({ ...parts, brokerNonce: await phone.nonce("device") });
    expect(await send(await phone.keys.signLink(bytes, forAnotherKind))).toBe("assertion_invalid");
  });

  it("in canonical bytes without a member more", async () => {
    const { statement } = await phone.keys.signChange(await newDevice());
    const members = JSON.parse(Buffer.from(fromBase64url(statement)).toString());
    const padded = canonicalBytes({ ...members, note: "x" });
    expect(await send(await phone.keys.signLink(padded, await newDevice()))).toBe("unknown_member");
  });

  it("with a key that nobody has or had", async () => {
    const again: KeyChange = { op: "add", subject: { device: phone.device.keys } };
    expect(await send(bare(await phone.keys.signChange(again)))).toBe("chain_invalid");
    const second = await secondPhone();
    await phone.keys.revokeDevice(second.device.kid);
    const back: KeyChange = { op: "add", subject: { device: second.device.keys } };
    expect(await send(bare(await phone.keys.signChange(back)))).toBe("chain_invalid");
    const stranger = await enrolledPhone(world.broker, "Bob", phone);
    const stolen: KeyChange = { op: "add", subject: { device: stranger.device.keys } };
    expect(await send(bare(await phone.keys.signChange(stolen)))).not.toBe("accepted");
  });
});

it("of two phones that change the chain at once exactly one succeeds", async () => {
  const second = await secondPhone();
  for (let round = 0; round < 5; round++) {
    const before = (await phone.keys.chain()).seq;
    const [one, other] = [
      await phone.keys.signChange(await newDevice()),
      await second.keys.signChange(await newDevice()),
    ];
    const answers = await Promise.all([
      phone.call("POST", "/app/keys", { link: bare(one) }),
      second.call("POST", "/app/keys", { link: bare(other) }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    const chain = await phone.keys.chain();
    expect(chain.seq).toBe(before + 1);
    await phone.keys.revokeDevice(thumbprint((chain.live.devices[2] as DeviceKeys).sig_jwk));
  }
  const [{ count }] =
    (await world.sql`select count(*)::int as count from leaf where kind = 'key'`) as [
      { count: number },
    ];
  expect(count).toBe((await phone.keys.chain()).seq);
});

it("the same link again, after a lost reply, changes nothing and says the same", async () => {
  const link = bare(await phone.keys.signChange(await newDevice()));
  const first = await (await phone.call("POST", "/app/keys", { link })).json();
  const again = await (await phone.call("POST", "/app/keys", { link })).json();
  expect(again).toEqual(first);
  expect((await phone.keys.chain()).seq).toBe(1);
});

it("the last device and the last passkey stay", async () => {
  expect(await codeOf(phone.keys.revokeDevice(phone.device.kid))).toBe("last_key");
  expect(await codeOf(phone.keys.revokeCredential(phone.authenticator.credential.id))).toBe(
    "last_key",
  );
});

describe("a revoked device", () => {
  it("loses its session, its ceremony, its event stream and every right to decide", async () => {
    const second = await secondPhone();
    await second.keys.learnAgents();
    const agent = world.agent;
    agent.devices.set(phone.approver(), second.device.keys);
    const { rid } = await agent.request();
    const approval = await second.signApproval(rid);
    const stream = await second.call("GET", "/app/events");
    const reader = stream.body?.getReader();
    await phone.keys.revokeDevice(second.device.kid);
    for (let chunk = await reader?.read(); chunk && !chunk.done; ) chunk = await reader?.read();
    expect(await codeOf(second.me())).toBe("unauthenticated");
    expect(await codeOf(second.signIn())).toBe("device_unknown");
    // Its approval, sent by a session that is still good.
    expect(await codeOf(phone.decide(rid, approval))).not.toBe("accepted");
    const ceremonies =
      await world.sql`select 1 from ceremony where device_kid = ${second.device.kid}
      and consumed_at is null`;
    expect(ceremonies).toHaveLength(0);
    expect((await agent.status(rid)).state).toBe("pending");
    await phone.me();
  });

  it("has no session either that was made in the same moment", async () => {
    const second = await secondPhone();
    await phone.keys.revokeDevice(second.device.kid);
    const token = randomNonce();
    await world.sql`insert into session (hash, approver, credential_id, device_kid, expires_at)
      values (${sha256Text(utf8(token))}, ${phone.approver()}, ${phone.authenticator.credential.id},
        ${second.device.kid}, now() + interval '1 hour')`;
    const headers = { cookie: `__Host-session=${token}` };
    const answer = await fetch(`${world.broker.site.origin}/app/me`, { headers });
    expect(await refusalOf(answer)).toBe("unauthenticated");
  });

  it("ends sessions that proved no device, which could be its own", async () => {
    const second = await secondPhone();
    const anonymous = await newPhone(phone);
    await anonymous.signIn();
    await phone.keys.revokeDevice(second.device.kid);
    expect(await codeOf(anonymous.me())).toBe("unauthenticated");
  });
});

it("a revoked passkey opens no session and keeps none", async () => {
  const second = await secondPhone(true);
  await second.me();
  await phone.keys.revokeCredential(second.authenticator.credential.id);
  expect(await codeOf(second.me())).toBe("unauthenticated");
  expect(await codeOf(second.signIn())).toBe("credential_unknown");
});

it("a session says which device it is only with that device's signature", async () => {
  const second = await secondPhone();
  const brokerNonce = await second.nonce("login");
  const signed = siteStatementBytes(world.broker.site, brokerNonce);
  const answer = await second.call("POST", "/app/session", {
    broker_nonce: brokerNonce,
    assertion: await second.authenticator.assert(hashBytes("login", signed)),
    device: {
      device_kid: phone.device.kid,
      device_signature: await second.device.sign("login", signed),
    },
  });
  expect(await refusalOf(answer)).toBe("device_signature_invalid");
});

it("signing in again ends the session before it", async () => {
  const cookies: string[] = [];
  const again = await createSoftPhone({
    origin: world.broker.site.origin,
    syncedWith: phone,
    fetch: (input, init) => {
      const { cookie } = (init?.headers ?? {}) as Record<string, string>;
      if (cookie !== undefined) cookies.push(cookie);
      return fetch(input, init);
    },
  });
  await again.signIn();
  await again.me();
  await again.signIn();
  await again.me();
  const [before = "", now = ""] = [...new Set(cookies)];
  const ask = (cookie: string) =>
    fetch(`${world.broker.site.origin}/app/me`, { headers: { cookie } });
  expect([(await ask(before)).status, (await ask(now)).status]).toEqual([401, 200]);
});

describe("a second phone", () => {
  it("is added by a link with a synced passkey or its own, and finds itself enrolled", async () => {
    const synced = await secondPhone();
    const own = await secondPhone(true);
    for (const added of [synced, own]) {
      const { devices, approver } = await added.me();
      expect(approver).toBe(phone.approver());
      expect(devices.map(({ device_kid }) => device_kid)).toContain(added.device.kid);
    }
    expect((await phone.keys.chain()).live.credentials).toHaveLength(2);
  });

  it("is not added with keys that the server put in place of its own", async () => {
    const second = await newPhone(phone);
    const { link } = await second.keys.offerLink();
    const evil = (await createSoftDevice()).keys;
    await world.sql`update device_link set keys = ${{ device: evil }}`;
    expect(await codeOf(phone.keys.addByLink(link))).toBe("link_invalid");
    expect((await phone.keys.chain()).seq).toBe(0);
  });

  it("believes no chain but the one that the old phone vouched for", async () => {
    const second = await newPhone(phone);
    const offered = await second.keys.offerLink();
    await phone.keys.addByLink(offered.link);
    const { seq, head } = await phone.keys.chain();
    const forged = vouch(new Uint8Array(32), phone.approver(), { seq, head });
    await world.sql`update device_link set vouching = ${forged}`;
    expect(await codeOf(offered.added())).toBe("link_invalid");
  });

  it("is added once by its link, and by no link that ran out", async () => {
    const second = await newPhone(phone);
    const { link } = await second.keys.offerLink();
    await phone.keys.addByLink(link);
    expect(await codeOf(phone.keys.addByLink(link))).not.toBe("accepted");
    const late = await (await newPhone(phone)).keys.offerLink();
    await world.sql`update device_link set expires_at = now()`;
    expect(await codeOf(phone.keys.addByLink(late.link))).toBe("link_stale");
    expect((await phone.keys.chain()).live.devices).toHaveLength(2);
  });

  it("accepts an agent by a P that verifies in its chain, and none that the server invented", async () => {
    const second = await secondPhone();
    await second.keys.learnAgents();
    expect([...second.agents.keys()]).toEqual([world.agent.clientId]);
    const evil = { ...world.agent.jwk, x: randomNonce() };
    await world.sql`update agent set jwk = ${evil}`;
    second.agents.clear();
    expect(await codeOf(second.keys.learnAgents())).toBe("invalid_binding");
    expect(second.agents.size).toBe(0);
  });

  it("denies but cannot open a request that was sealed before it was there", async () => {
    const { rid } = await world.agent.request();
    const second = await secondPhone();
    await second.keys.learnAgents();
    expect(await codeOf(second.approve(rid))).toBe("not_found");
    expect(await second.deny(rid)).toBe("denied");
  });
});
