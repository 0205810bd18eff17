import {
  type Credential,
  canonicalBytes,
  fromBase64url,
  hashBytes,
  type PairingAcceptance,
  type PairingStatement,
  type Purpose,
  pairingChallenge,
  pairingMac,
  parsePairingStatement,
  randomBytes,
  randomId,
  randomNonce,
  toBase64url,
  verifyPairingMac,
} from "@countersign/shared";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import { createSoftAuthenticator } from "@countersign/test-kit/soft-authenticator";
import { createSoftDevice } from "@countersign/test-kit/soft-device";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  attackedWorld,
  flip,
  interceptedPhone,
  jwsOver,
  type Offer,
  offered,
  offerOf,
  positions,
  refusalOf,
  startAfresh,
  type World,
} from "../testing/attack.js";
import { enrolledPhone } from "../testing/harness.js";

let world: World;
let ada: SoftPhone;
let eve: SoftPhone;
let origin: string;
let intercept: Awaited<ReturnType<typeof interceptedPhone>>["intercept"];
let agent: SoftAgent;

beforeAll(async () => {
  world = await attackedWorld();
  origin = world.broker.site.origin;
  eve = await enrolledPhone(world.broker, "Eve", world.phone);
  const own = await interceptedPhone(world.broker);
  await own.phone.enrol(await world.phone.invite(), "Ada");
  ({ phone: ada, intercept } = own);
});
afterAll(() => world.close());
beforeEach(async () => {
  await startAfresh(world);
  agent = await createSoftAgent({ origin });
});

const signed = (offer: Offer): Promise<PairingAcceptance> =>
  intercept("/acceptance", () => ada.acceptPairing(offer.link));
const accept = (phone: SoftPhone, id: string, acceptance: unknown) =>
  phone.call("POST", `/app/pairings/${id}/acceptance`, acceptance);
const stateOf = async (id: string, by = agent) => {
  const answer = await by.call("GET", `/v1/pairings/${id}`);
  return ((await answer.json()) as { state: string }).state;
};

/** P with other members, correctly signed by whatever keys. */
async function resigned(
  given: PairingAcceptance,
  offer: Offer,
  members: Partial<Record<keyof PairingStatement, unknown>>,
  keys: Pick<SoftPhone, "authenticator" | "device"> = ada,
): Promise<PairingAcceptance> {
  const honest = parsePairingStatement(fromBase64url(given.statement));
  const bytes = canonicalBytes({ ...honest, ...members });
  return {
    statement: toBase64url(bytes),
    assertion: await keys.authenticator.assert(pairingChallenge(bytes)),
    device_signature: await keys.device.sign("pair", bytes),
    mac: pairingMac(offer.secret, bytes),
  };
}

describe("P", () => {
  it("is refused with one byte changed, wherever", async () => {
    const offer = await offered(agent, origin);
    const honest = await signed(offer);
    const { response } = honest.assertion;
    for (const at of positions(honest.statement, 50)) {
      const bent = { ...honest, statement: flip(honest.statement, at) };
      expect((await accept(ada, offer.id, bent)).status, `statement ${at}`).toBeGreaterThan(399);
    }
    for (const at of positions(honest.device_signature, 12)) {
      const bent = { ...honest, device_signature: flip(honest.device_signature, at) };
      expect(await refusalOf(accept(ada, offer.id, bent))).toBe("device_signature_invalid");
    }
    for (const part of ["clientDataJSON", "authenticatorData", "signature"] as const) {
      for (const at of positions(response[part], 12)) {
        const assertion = {
          ...honest.assertion,
          response: { ...response, [part]: flip(response[part], at) },
        };
        const code = await refusalOf(accept(ada, offer.id, { ...honest, assertion }));
        expect(code, `${part} ${at}`).toBe("assertion_invalid");
      }
    }
    expect(await stateOf(offer.id)).toBe("offered");
    expect((await accept(ada, offer.id, honest)).status).toBe(200);
  });

  it("with another mac is the agent's to refuse: the broker never held the secret", async () => {
    const offer = await offered(agent, origin);
    const honest = await signed(offer);
    const bent = { ...honest, mac: flip(honest.mac, 7) };
    expect(() => verifyPairingMac(bent, offer.secret)).toThrow();
    expect(() =>
      verifyPairingMac(
        { ...honest, mac: pairingMac(randomBytes(32), fromBase64url(honest.statement)) },
        offer.secret,
      ),
    ).toThrow();
    verifyPairingMac(honest, offer.secret);
  });

  it("is refused with any member changed, though both keys sign it", async () => {
    const offer = await offered(agent, origin);
    const honest = await signed(offer);
    const own = parsePairingStatement(fromBase64url(honest.statement));
    const other = createSoftAuthenticator({ rpId: "localhost", origin });
    const device = await createSoftDevice();
    // The phone's own nonce is free: any will do, as long as it is the phone's.
    const members: Record<Exclude<keyof PairingStatement, "phone_nonce">, unknown> = {
      v: 2,
      pairing_id: randomNonce(),
      agent_jkt: randomNonce(),
      agent_name: "another name",
      agent_host: "another host",
      commit: randomNonce(),
      sealed: false,
      issuer: "https://evil.example",
      rp_id: "evil.example",
      origin: "https://evil.example",
      log_key: "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
      approver: eve.approver(),
      credential: other.credential,
      device: device.keys,
      chain: { ...own.chain, head: randomNonce() },
      broker_nonce: randomNonce(),
    };
    for (const [member, value] of Object.entries(members)) {
      const bent = await resigned(honest, offer, { [member]: value });
      expect((await accept(ada, offer.id, bent)).status, member).toBeGreaterThan(399);
    }
    for (const chain of [
      { seq: 1, head: own.chain.head },
      { seq: -1, head: own.chain.head },
    ]) {
      const bent = await resigned(honest, offer, { chain });
      expect((await accept(ada, offer.id, bent)).status).toBeGreaterThan(399);
    }
    const added = await resigned(honest, offer, { extra: 1 } as object);
    expect(await refusalOf(accept(ada, offer.id, added))).toBe("unknown_member");
    expect(await stateOf(offer.id)).toBe("offered");
  });

  it("is refused with keys that sign well but are not this account's", async () => {
    const offer = await offered(agent, origin);
    const honest = await signed(offer);
    const authenticator = createSoftAuthenticator({ rpId: "localhost", origin });
    const device = await createSoftDevice();
    const [fresh, half, mine] = [
      { authenticator, device },
      { authenticator: ada.authenticator, device },
      { authenticator, device: ada.device },
    ];
    for (const keys of [fresh, half, mine, eve]) {
      const credential: Credential = keys.authenticator.credential;
      const bent = await resigned(honest, offer, { credential, device: keys.device.keys }, keys);
      expect(await refusalOf(accept(ada, offer.id, bent))).toBe("pairing_invalid");
    }
    const flipped = { ...ada.authenticator.credential, be: false };
    const bent = await resigned(honest, offer, { credential: flipped });
    expect(await refusalOf(accept(ada, offer.id, bent))).toBe("assertion_invalid");
    const renamed = { ...ada.device.keys, enc_jwk: device.keys.enc_jwk };
    const sealedElsewhere = await resigned(honest, offer, { device: renamed });
    expect(await refusalOf(accept(ada, offer.id, sealedElsewhere))).toBe("pairing_invalid");
    expect(await stateOf(offer.id)).toBe("offered");
  });

  it("of one person is refused in the session of another", async () => {
    const offer = await offered(agent, origin);
    expect(await refusalOf(accept(eve, offer.id, await signed(offer)))).toBe("pairing_invalid");
  });

  it("is refused when either signature was made for another purpose", async () => {
    const offer = await offered(agent, origin);
    const honest = await signed(offer);
    const bytes = fromBase64url(honest.statement);
    for (const purpose of [
      "approve",
      "deny",
      "login",
      "register",
      "credential",
      "device",
      "practice",
    ] satisfies Purpose[]) {
      const assertion = await ada.authenticator.assert(hashBytes(purpose, bytes));
      expect(await refusalOf(accept(ada, offer.id, { ...honest, assertion }))).toBe(
        "assertion_invalid",
      );
      const device_signature = await ada.device.sign(purpose, bytes);
      expect(await refusalOf(accept(ada, offer.id, { ...honest, device_signature }))).toBe(
        "device_signature_invalid",
      );
    }
  });

  it.each([
    { crossOrigin: true },
    { topOrigin: "https://example.com" },
    { flags: { uv: false } },
    { flags: { up: false } },
  ])("is refused when the authenticator answered %j", async (overrides) => {
    const offer = await offered(agent, origin);
    const honest = await signed(offer);
    const challenge = pairingChallenge(fromBase64url(honest.statement));
    const assertion = await ada.authenticator.assert(challenge, overrides);
    expect(await refusalOf(accept(ada, offer.id, { ...honest, assertion }))).toBe(
      "assertion_invalid",
    );
  });

  it("is refused with a nonce that ran out, was used, or was given for something else", async () => {
    const offer = await offered(agent, origin);
    const honest = await signed(offer);
    const { broker_nonce } = parsePairingStatement(fromBase64url(honest.statement));
    await world.sql`update nonce set expires_at = now() - interval '1 second' where value = ${broker_nonce}`;
    expect(await refusalOf(accept(ada, offer.id, honest))).toBe("pairing_stale");
    for (const purpose of ["login", "register", "credential"]) {
      const answer = await ada.call("POST", "/app/nonces", { purpose });
      const { broker_nonce: other } = (await answer.json()) as { broker_nonce: string };
      const bent = await resigned(honest, offer, { broker_nonce: other });
      expect(await refusalOf(accept(ada, offer.id, bent)), purpose).toBe("pairing_stale");
    }
    expect(await stateOf(offer.id)).toBe("offered");
  });

  it("is taken once: a second one is refused, and the first one again changes nothing", async () => {
    const offer = await offered(agent, origin);
    const [first, second] = [await signed(offer), await signed(offer)];
    expect((await accept(ada, offer.id, first)).status).toBe(200);
    expect(await refusalOf(accept(ada, offer.id, second))).toBe("pairing_stale");
    expect((await accept(ada, offer.id, first)).status).toBe(200);
    expect(await refusalOf(accept(eve, offer.id, first))).toBe("pairing_stale");
    expect(await refusalOf(eve.call("GET", `/app/pairings/${offer.id}`))).toBe("not_found");
  });

  it("is taken once when ten come at the same moment", async () => {
    const offer = await offered(agent, origin);
    const all: PairingAcceptance[] = [];
    for (let count = 0; count < 10; count++) all.push(await signed(offer));
    const answers = await Promise.all(all.map((given) => accept(ada, offer.id, given)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it("of one pairing is refused at another", async () => {
    const [one, two] = [await offered(agent, origin), await offered(agent, origin)];
    expect(await refusalOf(accept(ada, two.id, await signed(one)))).toBe("invalid_binding");
  });
});

describe("a pairing", () => {
  const call = (id: string, step: string, body: unknown = {}, by = agent) =>
    by.call("POST", `/v1/pairings/${id}/${step}`, body);
  const revealed = (offer: Offer) => call(offer.id, "reveal", { nonce: toBase64url(offer.nonce) });

  it("takes its steps in order only", async () => {
    const offer = await offered(agent, origin);
    expect(await refusalOf(call(offer.id, "confirm"))).toBe("pairing_stale");
    expect(await refusalOf(revealed(offer))).toBe("pairing_stale");
    await accept(ada, offer.id, await signed(offer));
    expect(await refusalOf(call(offer.id, "confirm"))).toBe("pairing_stale");
    expect(await refusalOf(call(offer.id, "reveal", { nonce: randomNonce() }))).toBe(
      "pairing_invalid",
    );
    expect(await stateOf(offer.id)).toBe("accepted");
    expect((await revealed(offer)).status).toBe(200);
    expect(await refusalOf(call(offer.id, "reveal", { nonce: randomNonce() }))).toBe(
      "pairing_invalid",
    );
    expect((await call(offer.id, "confirm")).status).toBe(200);
    expect(await refusalOf(accept(ada, offer.id, await signed(offer)))).toBe("pairing_stale");
  });

  it("shows its nonce to nobody before P is in, and to nobody but P's maker", async () => {
    const offer = await offered(agent, origin);
    const shown = await ada.call("GET", `/app/pairings/${offer.id}`);
    expect(await shown.json()).not.toHaveProperty("nonce");
    await accept(ada, offer.id, await signed(offer));
    await revealed(offer);
    expect(await (await ada.call("GET", `/app/pairings/${offer.id}`)).json()).toHaveProperty(
      "nonce",
    );
    expect(await refusalOf(eve.call("GET", `/app/pairings/${offer.id}`))).toBe("not_found");
  });

  it.each(["offered", "accepted", "revealed"])(
    "that is late ends where it stood: %s",
    async (state) => {
      const offer = await offered(agent, origin);
      const given = await signed(offer);
      if (state !== "offered") await accept(ada, offer.id, given);
      if (state === "revealed") await revealed(offer);
      expect(await stateOf(offer.id)).toBe(state);
      await world.sql`update pairing set expires_at = now() - interval '1 second' where id = ${offer.id}`;
      const late = await signed(offer);
      expect(await refusalOf(accept(ada, offer.id, late))).toBe("pairing_stale");
      expect(await refusalOf(call(offer.id, "confirm"))).toBe("pairing_stale");
      if (state !== "revealed") expect(await refusalOf(revealed(offer))).toBe("pairing_stale");
      expect(await stateOf(offer.id)).toBe("ended");
    },
  );

  it("that was ended stays ended", async () => {
    const offer = await offered(agent, origin);
    expect((await agent.call("DELETE", `/v1/pairings/${offer.id}`)).status).toBe(204);
    expect(await refusalOf(accept(ada, offer.id, await signed(offer)))).toBe("pairing_stale");
    expect(await refusalOf(revealed(offer))).toBe("pairing_stale");
    const again = await agent.call("POST", "/v1/pairings", { offer: offer.jws });
    expect(await again.json()).toMatchObject({ state: "ended" });
  });

  it("of another key is not there, whatever is tried", async () => {
    const offer = await offered(agent, origin);
    await accept(ada, offer.id, await signed(offer));
    const thief = await createSoftAgent({ origin });
    const nonce = { nonce: toBase64url(offer.nonce) };
    expect(await refusalOf(thief.call("GET", `/v1/pairings/${offer.id}`))).toBe("not_found");
    expect(await refusalOf(call(offer.id, "reveal", nonce, thief))).toBe("not_found");
    expect(await refusalOf(call(offer.id, "confirm", {}, thief))).toBe("not_found");
    expect(await refusalOf(thief.call("DELETE", `/v1/pairings/${offer.id}`))).toBe("not_found");
    const squatted = await offerOf(thief, origin, { pairing_id: offer.id });
    expect(await refusalOf(thief.call("POST", "/v1/pairings", { offer: squatted.jws }))).toBe(
      "not_found",
    );
    expect(await stateOf(offer.id)).toBe("accepted");
  });

  it("is not found by guessing", async () => {
    for (let guess = 0; guess < 20; guess++) {
      expect(await refusalOf(eve.call("GET", `/app/pairings/${randomNonce()}`))).toBe("not_found");
    }
  });

  it("makes an agent of nobody before it is confirmed", async () => {
    const offer = await offered(agent, origin);
    await accept(ada, offer.id, await signed(offer));
    await revealed(offer);
    const client_assertion = await agent.clientAssertion();
    const answer = agent.form("/token", { grant_type: "client_credentials", client_assertion });
    expect(await refusalOf(answer)).toBe("invalid_client");
  });
});

describe("an offer", () => {
  const post = (offer: string, by = agent) => by.call("POST", "/v1/pairings", { offer });

  it("is refused with one byte changed, wherever", async () => {
    const { jws } = await offerOf(agent, origin);
    const parts = jws.split(".");
    for (const [index, part] of parts.entries()) {
      for (const at of positions(part, 8)) {
        const bent = parts
          .map((text, place) => (place === index ? flip(text, at) : text))
          .join(".");
        expect((await post(bent)).status, `${index} ${at}`).toBeGreaterThan(399);
      }
    }
  });

  it("is refused when it is not for here, not by its key, too long, or not of now", async () => {
    const now = Math.floor(Date.now() / 1000);
    const thief = await createSoftAgent({ origin });
    const bad = [
      { aud: "https://evil.example" },
      { iss: thief.clientId },
      { agent_jwk: thief.jwk },
      { exp: now + 601 },
      { exp: now },
      { iat: now - 62, exp: now + 100 },
      { iat: now + 63, exp: now + 200 },
      { pairing_id: randomId() },
      { name: "" },
      { name: "n".repeat(81) },
    ];
    for (const claims of bad) {
      expect((await post((await offerOf(agent, origin, claims)).jws)).status).toBe(400);
    }
    expect(await refusalOf(post((await offerOf(agent, origin)).jws, thief))).toBe(
      "invalid_binding",
    );
  });

  it("is refused as any other signed object, and they as an offer", async () => {
    const { jws } = await offerOf(agent, origin);
    const payload = fromBase64url(jws.split(".")[1] ?? "");
    for (const typ of ["oauth-authz-req+jwt", "countersign-outcome+jwt", "dpop+jwt", "JWT", ""]) {
      const swapped = await jwsOver(payload, { typ, kid: agent.clientId }, agent.key.privateKey);
      expect(await refusalOf(post(swapped)), typ).toBe("unsupported_algorithm");
    }
  });
});
