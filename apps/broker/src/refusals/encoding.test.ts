import {
  type Bytes,
  chainChallenge,
  concat,
  type Enrolment,
  fromBase64url,
  hashBytes,
  type PairingAcceptance,
  pairingChallenge,
  pairingMac,
  toBase64url,
  utf8,
} from "@countersign/shared";
import type { SoftAgent } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  attackedWorld,
  interceptedPhone,
  jwsOver,
  offered,
  offerOf,
  refusalOf,
  type World,
} from "../testing/attack.js";

let world: World;
let agent: SoftAgent;
let phone: SoftPhone;
let intercept: Awaited<ReturnType<typeof interceptedPhone>>["intercept"];
let rid: string;

beforeAll(async () => {
  world = await attackedWorld();
  ({ agent } = world);
  const own = await interceptedPhone(world.broker);
  await own.phone.enrol(await world.phone.invite(), "Ada");
  ({ phone, intercept } = own);
  await agent.pairWith(phone);
  ({ rid } = await agent.request({ approvers: [phone.approver()] }));
});
afterAll(() => world.close());

/** The same object in octets that say something else to some parser, or are not how it is written. */
function spellings(canonical: Uint8Array): [string, Bytes, RegExp][] {
  const text = Buffer.from(canonical).toString("utf8");
  const inner = text.slice(1, -1);
  const members = Object.entries(JSON.parse(text));
  const [name = "", value] = members[0] ?? [];
  const first = `"${name}":${JSON.stringify(value)}`;
  const escaped = `"\\u${name.charCodeAt(0).toString(16).padStart(4, "0")}${name.slice(1)}"`;
  const json = /^invalid_json$/;
  const form = /^not_canonical$/;
  return [
    ["a member twice", utf8(`{${first},${inner}}`), json],
    ["a member twice, once escaped", utf8(`{${escaped}:1,${inner}}`), json],
    ["a space", utf8(`{ ${inner}}`), form],
    ["a line end", utf8(`${text}\n`), form],
    ["members in another order", utf8(JSON.stringify(Object.fromEntries(members.reverse()))), form],
    ["an escape where none is needed", utf8(text.replace(`"${name}"`, escaped)), form],
    ["a byte order mark", concat(Uint8Array.of(0xef, 0xbb, 0xbf), canonical), /^invalid_json$/],
    [
      "a stray byte",
      concat(canonical.subarray(0, -1), Uint8Array.of(0xff, 0x7d)),
      /^invalid_encoding$/,
    ],
    ["an overlong slash", utf8Overlong(text), /^invalid_encoding$/],
    ["__proto__", utf8(`{"__proto__":{"a":1},${inner}}`), /^forbidden_member$/],
    ["__proto__ escaped", utf8(`{"\\u005f_proto__":1,${inner}}`), /^forbidden_member$/],
    ["constructor", utf8(`{"constructor":1,${inner}}`), /^(unknown_member|not_canonical)$/],
    ["deep nesting", utf8(`{"a":${"[".repeat(40)}${"]".repeat(40)},${inner}}`), /^too_deep$/],
    ["very deep nesting", utf8(`{"a":${"[".repeat(5000)}`), /^too_deep$/],
    ["an integer beyond doubles", utf8(`{"a":9007199254740993,${inner}}`), /^number_not_exact$/],
    ["minus zero", utf8(`{"a":-0,${inner}}`), /^number_not_exact$/],
    ["infinity", utf8(`{"a":1e400,${inner}}`), /^number_not_exact$/],
    ["a number written at length", utf8(`{"a":1.0,${inner}}`), /^(not_canonical|unknown_member)$/],
    ["a lone surrogate", utf8(`{"a":"\\ud800",${inner}}`), json],
    ["a comment", utf8(`/**/${text}`), json],
    ["two values", utf8(`${text}${text}`), json],
    ["a list around it", utf8(`[${text}]`), /^unknown_member$/],
    ["a null", utf8("null"), /^unknown_member$/],
    ["nothing", new Uint8Array(), json],
  ];
}

const utf8Overlong = (text: string): Bytes =>
  concat(utf8(text.slice(0, 2)), Uint8Array.of(0xc0, 0xaf), utf8(text.slice(2)));

const aliased = (text: string): string[] => [
  `${text}=`,
  `${text} `,
  ` ${text}`,
  `${text.slice(0, 4)}\n${text.slice(4)}`,
  text.replace(/[A-Za-z]/, "+"),
  text.replace(/[A-Za-z]/, "/"),
  text.replace(/[A-Za-z]/, "%41"),
  text.length % 4 === 0 ? `${text}A` : `${text.slice(0, -1)}${nextCharacter(text.at(-1) ?? "A")}`,
];

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const nextCharacter = (character: string): string =>
  alphabet[alphabet.indexOf(character) + 1] ?? "A";

const payloadOf = (jws: string): Bytes => fromBase64url(jws.split(".")[1] ?? "");

describe("octets that are not the canonical ones", () => {
  it("are refused as S, though both keys sign them", async () => {
    const honest = await phone.signApproval(rid);
    for (const [name, octets, code] of spellings(fromBase64url(honest.statement))) {
      const approval = {
        ...honest,
        statement: toBase64url(octets),
        assertion: await phone.authenticator.assert(hashBytes("approve", octets)),
        device_signature: await phone.device.sign("approve", octets),
      };
      expect(
        await refusalOf(phone.call("POST", `/app/requests/${rid}/decisions`, approval)),
        name,
      ).toMatch(code);
    }
    for (const statement of aliased(honest.statement)) {
      const answer = phone.call("POST", `/app/requests/${rid}/decisions`, { ...honest, statement });
      expect(await refusalOf(answer), statement.slice(-6)).toBe("unknown_member");
    }
    expect((await agent.status(rid)).state).toBe("pending");
  });

  it("are refused as D, though the device signs them", async () => {
    const honest = await phone.signDenial(rid);
    for (const [name, octets, code] of spellings(fromBase64url(honest.statement))) {
      const device_signature = await phone.device.sign("deny", octets);
      const denial = { ...honest, statement: toBase64url(octets), device_signature };
      expect(
        await refusalOf(phone.call("POST", `/app/requests/${rid}/decisions`, denial)),
        name,
      ).toMatch(code);
    }
    for (const member of ["statement", "device_signature"] as const) {
      for (const text of aliased(honest[member])) {
        const answer = phone.call("POST", `/app/requests/${rid}/decisions`, {
          ...honest,
          [member]: text,
        });
        expect(await refusalOf(answer), `${member} ${text.slice(-6)}`).toBe("unknown_member");
      }
    }
    expect((await agent.status(rid)).state).toBe("pending");
  });

  it("are refused as AR, though the agent signs them", async () => {
    const { jws } = await agent.prepare();
    const header = { typ: "oauth-authz-req+jwt", kid: agent.clientId };
    for (const [name, octets, code] of spellings(payloadOf(jws))) {
      const request = await jwsOver(octets, header, agent.key.privateKey);
      const answer = agent.form("/bc-authorize", { request });
      // An empty part is no compact JWS at all.
      expect(await refusalOf(answer), name).toMatch(
        octets.length === 0 ? /^invalid_encoding$/ : code,
      );
    }
    for (const request of aliased(jws)) {
      expect(await refusalOf(agent.form("/bc-authorize", { request })), request.slice(-6)).toBe(
        "invalid_encoding",
      );
    }
  });

  it("are refused as an outcome, though the agent signs them", async () => {
    const request = await agent.request({ approvers: [phone.approver()] });
    await phone.approve(request.rid);
    await agent.poll(request.rid);
    const honest = await agent.outcomeOf(request);
    const header = { typ: "countersign-outcome+jwt", kid: agent.clientId };
    const report = (outcome: string) =>
      agent.call("POST", `/v1/requests/${request.rid}/outcome`, { outcome });
    for (const [name, octets, code] of spellings(payloadOf(honest))) {
      const outcome = await jwsOver(octets, header, agent.key.privateKey);
      expect(await refusalOf(report(outcome)), name).toMatch(
        octets.length === 0 ? /^invalid_encoding$/ : code,
      );
    }
    for (const outcome of aliased(honest))
      expect(await refusalOf(report(outcome))).toBe("invalid_encoding");
    expect((await agent.status(request.rid)).state).toBe("redeemed");
  });

  it("are refused as an offer, though its key signs them", async () => {
    const { jws } = await offerOf(agent, world.broker.site.origin);
    const header = { typ: "countersign-pairing+jwt", kid: agent.clientId };
    for (const [name, octets, code] of spellings(payloadOf(jws))) {
      const offer = await jwsOver(octets, header, agent.key.privateKey);
      const answer = agent.call("POST", "/v1/pairings", { offer });
      expect(await refusalOf(answer), name).toMatch(octets.length === 0 ? /^invalid_/ : code);
    }
  });

  it("are refused as P, though both keys sign them", async () => {
    const offer = await offered(agent, world.broker.site.origin);
    const honest = await intercept<PairingAcceptance>("/acceptance", () =>
      phone.acceptPairing(offer.link),
    );
    const path = `/app/pairings/${offer.id}/acceptance`;
    for (const [name, octets, code] of spellings(fromBase64url(honest.statement))) {
      const acceptance = {
        statement: toBase64url(octets),
        assertion: await phone.authenticator.assert(pairingChallenge(octets)),
        device_signature: await phone.device.sign("pair", octets),
        mac: pairingMac(offer.secret, octets),
      };
      expect(await refusalOf(phone.call("POST", path, acceptance)), name).toMatch(code);
    }
  });

  it("are refused as K0, though both keys sign them", async () => {
    const own = await interceptedPhone(world.broker);
    const invitation = await phone.invite();
    const honest = await own.intercept<Enrolment>("/app/approvers", () =>
      own.phone.enrol(invitation, "Mallory"),
    );
    for (const [name, octets, code] of spellings(fromBase64url(honest.root.statement))) {
      const root = {
        statement: toBase64url(octets),
        assertion: await own.phone.authenticator.assert(chainChallenge(octets)),
        device_signature: await own.phone.device.sign("credential", octets),
      };
      expect(
        await refusalOf(own.phone.call("POST", "/app/approvers", { ...honest, root })),
        name,
      ).toMatch(code);
    }
  });
});

describe("clientDataJSON", () => {
  it("is strict where it matters, and open where browsers add", async () => {
    const honest = await phone.signApproval(rid);
    const statement = fromBase64url(honest.statement);
    const challenge = hashBytes("approve", statement);
    const hostile: Record<string, unknown>[] = [
      { crossOrigin: true },
      { crossOrigin: null },
      { crossOrigin: 0 },
      { topOrigin: "" },
      { topOrigin: null },
      { type: "webauthn.get " },
      { type: ["webauthn.get"] },
      { origin: `${world.broker.site.origin}/` },
      { challenge: `${toBase64url(challenge)}=` },
    ];
    for (const extraClientData of hostile) {
      const assertion = await phone.authenticator.assert(challenge, { extraClientData });
      const answer = phone.call("POST", `/app/requests/${rid}/decisions`, { ...honest, assertion });
      expect(await refusalOf(answer), JSON.stringify(extraClientData)).toBe("assertion_invalid");
    }
    expect((await agent.status(rid)).state).toBe("pending");
    const extraClientData = {
      other_keys_can_be_added_here: "do not compare clientDataJSON against a template",
    };
    const assertion = await phone.authenticator.assert(challenge, { extraClientData });
    expect(await phone.decide(rid, { ...honest, assertion })).toBe("approved");
  });
});
