import {
  type ChainRoot,
  canonicalBytes,
  chainChallenge,
  type Enrolment,
  fromBase64url,
  hashBytes,
  type Purpose,
  randomId,
  randomNonce,
  siteChallenge,
  siteStatementBytes,
  toBase64url,
} from "@countersign/shared";
import type { CeremonyOverrides } from "@countersign/test-kit/soft-authenticator";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  attackedWorld,
  flip,
  interceptedPhone,
  positions,
  rawCall,
  refusalOf,
  type World,
} from "../testing/attack.js";

let world: World;
let ada: SoftPhone;
let origin: string;

beforeAll(async () => {
  world = await attackedWorld();
  ada = world.phone;
  origin = world.broker.site.origin;
});
afterAll(() => world.close());

/** Calls without a session are counted by address: every one comes from another. */
let caller = 0;
const fromElsewhere = (): Record<string, string> => {
  caller++;
  return { "x-forwarded-for": `10.0.${caller >> 8}.${caller & 255}` };
};
const post = (
  phone: SoftPhone,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
) => phone.call("POST", path, body, { ...fromElsewhere(), ...headers });

/** All that a phone would send to enrol, and not sent. */
async function enrolling(name = "Mallory") {
  const { phone, intercept } = await interceptedPhone(world.broker);
  const invitation = await ada.invite();
  const body = await intercept<Enrolment>("/app/approvers", () => phone.enrol(invitation, name));
  return { phone, body };
}

async function rerooted(
  phone: SoftPhone,
  body: Enrolment,
  members: Partial<Record<keyof ChainRoot, unknown>>,
): Promise<Enrolment> {
  const honest = JSON.parse(Buffer.from(body.root.statement, "base64url").toString());
  const bytes = canonicalBytes({ ...honest, ...members });
  const root = {
    statement: toBase64url(bytes),
    assertion: await phone.authenticator.assert(chainChallenge(bytes)),
    device_signature: await phone.device.sign("credential", bytes),
  };
  return { ...body, root };
}

const nonceFor = async (purpose: string): Promise<string> => {
  const answer = await post(ada, "/app/nonces", { purpose });
  return ((await answer.json()) as { broker_nonce: string }).broker_nonce;
};

describe("K0", () => {
  it("is refused with one byte changed, wherever", async () => {
    const { phone, body } = await enrolling();
    const { root } = body;
    const { response } = root.assertion;
    const bent: Enrolment["root"][] = [
      ...positions(root.statement, 40).map((at) => ({
        ...root,
        statement: flip(root.statement, at),
      })),
      ...positions(root.device_signature, 10).map((at) => ({
        ...root,
        device_signature: flip(root.device_signature, at),
      })),
      ...(["clientDataJSON", "authenticatorData", "signature"] as const).flatMap((part) =>
        positions(response[part], 10).map((at) => ({
          ...root,
          assertion: {
            ...root.assertion,
            response: { ...response, [part]: flip(response[part], at) },
          },
        })),
      ),
    ];
    for (const given of bent) {
      expect(await refusalOf(post(phone, "/app/approvers", { ...body, root: given }))).toBeTruthy();
    }
    expect((await post(phone, "/app/approvers", body)).status).toBe(201);
  });

  it("is refused with a registration that was changed by one byte", async () => {
    const { phone, body } = await enrolling();
    const { response } = body.registration;
    for (const at of positions(response.clientDataJSON, 25)) {
      const bent = { ...response, clientDataJSON: flip(response.clientDataJSON, at) };
      // The text of an unknown member may change: the browser adds such, and nothing signs a registration.
      const answer = await post(phone, "/app/approvers", {
        ...body,
        root: { ...body.root, device_signature: flip(body.root.device_signature, 0) },
        registration: { ...body.registration, response: bent },
      });
      expect(await refusalOf(answer)).toBeTruthy();
    }
  });

  it("is refused with any member changed, though both keys sign it", async () => {
    const { phone, body } = await enrolling();
    const members: Partial<Record<keyof ChainRoot, unknown>> = {
      v: 2,
      op: "add",
      issuer: "https://evil.example",
      rp_id: "evil.example",
      approver: "short",
      seq: 1,
      subject: { credential: ada.authenticator.credential, device: phone.device.keys },
      broker_nonce: randomNonce(),
    };
    for (const [member, value] of Object.entries(members)) {
      const bent = await rerooted(phone, body, { [member]: value });
      expect(await refusalOf(post(phone, "/app/approvers", bent)), member).toBeTruthy();
    }
    const device = { ...phone.device.keys, sig_jwk: ada.device.keys.sig_jwk };
    const subject = { credential: phone.authenticator.credential, device };
    const stolen = await rerooted(phone, body, { subject });
    expect(await refusalOf(post(phone, "/app/approvers", stolen))).toBe("device_signature_invalid");
    expect((await post(phone, "/app/approvers", body)).status).toBe(201);
  });

  it("is refused when either signature was made for another purpose", async () => {
    const { phone, body } = await enrolling();
    const bytes = fromBase64url(body.root.statement);
    for (const purpose of [
      "device",
      "approve",
      "pair",
      "register",
      "login",
      "practice",
    ] satisfies Purpose[]) {
      const assertion = await phone.authenticator.assert(hashBytes(purpose, bytes));
      const device_signature = await phone.device.sign(purpose, bytes);
      const [one, other] = [
        { ...body.root, assertion },
        { ...body.root, device_signature },
      ];
      expect(await refusalOf(post(phone, "/app/approvers", { ...body, root: one }))).toBe(
        "assertion_invalid",
      );
      expect(await refusalOf(post(phone, "/app/approvers", { ...body, root: other }))).toBe(
        "device_signature_invalid",
      );
    }
  });

  it("cannot take an approver, a passkey or a device that is there", async () => {
    const { phone, body } = await enrolling();
    const bent = await rerooted(phone, body, { approver: ada.approver() });
    expect(await refusalOf(post(phone, "/app/approvers", bent))).toBe("conflict");
    expect((await post(phone, "/app/approvers", body)).status).toBe(201);
    expect((await ada.me()).credentials).toHaveLength(1);
  });

  it.each<CeremonyOverrides>([
    { crossOrigin: true },
    { topOrigin: "https://example.com" },
    { flags: { uv: false } },
    { flags: { up: false } },
    { flags: { be: false, bs: false } },
    { origin: "https://evil.example" },
    { rpId: "evil.example" },
  ])("is refused when the authenticator registered or answered %j", async (overrides) => {
    const { phone, body } = await enrolling();
    const challenge = chainChallenge(fromBase64url(body.root.statement));
    const assertion = await phone.authenticator.assert(challenge, overrides);
    const bent = { ...body, root: { ...body.root, assertion } };
    expect(await refusalOf(post(phone, "/app/approvers", bent))).toBe("assertion_invalid");
    const site = { issuer: origin, rp_id: "localhost", origin };
    const made = await phone.authenticator.register(
      siteChallenge("register", site, body.register_nonce),
      overrides,
    );
    const { id, response } = made;
    const other = post(phone, "/app/approvers", { ...body, registration: { id, response } });
    expect(await refusalOf(other)).toMatch(/^(registration_invalid|invalid_binding)$/);
  });

  it("is refused with nonces that ran out, were used, or were given for something else", async () => {
    const { phone, body } = await enrolling();
    await world.sql`update nonce set expires_at = now() - interval '1 second' where value = ${body.register_nonce}`;
    expect(await refusalOf(post(phone, "/app/approvers", body))).toBe("invitation_invalid");
    await world.sql`update nonce set expires_at = now() + interval '1 minute', purpose = 'login' where value = ${body.register_nonce}`;
    expect(await refusalOf(post(phone, "/app/approvers", body))).toBe("invitation_invalid");
    const bent = await rerooted(phone, body, { broker_nonce: await nonceFor("pair") });
    expect(await refusalOf(post(phone, "/app/approvers", bent))).toBe("invitation_invalid");
  });
});

describe("an invitation", () => {
  it("outlives an attempt whose nonce ran out", async () => {
    const { phone, body } = await enrolling();
    const stale = await rerooted(phone, body, { broker_nonce: randomNonce() });
    expect(await refusalOf(post(phone, "/app/approvers", stale))).toBe("invitation_invalid");
    expect((await post(phone, "/app/approvers", body)).status).toBe(201);
  });

  it("is used once", async () => {
    const { phone, body } = await enrolling();
    expect((await post(phone, "/app/approvers", body)).status).toBe(201);
    const { invitation } = body;
    const check = post(phone, "/app/invitations/check", { invitation });
    expect(await refusalOf(check)).toBe("invitation_invalid");
    const { phone: second, body: again } = await enrolling();
    const reused = post(second, "/app/approvers", { ...again, invitation });
    expect(await refusalOf(reused)).toBe("invitation_invalid");
  });

  it("is used once by two at the same moment", async () => {
    const people = await Promise.all(Array.from({ length: 6 }, () => enrolling()));
    const invitation = people[0]?.body.invitation ?? "";
    const answers = await Promise.all(
      people.map(({ phone, body }) => post(phone, "/app/approvers", { ...body, invitation })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  });

  it("runs out", async () => {
    const { phone, body } = await enrolling();
    await world.sql`update invitation set expires_at = now() - interval '1 second'`;
    expect(await refusalOf(post(phone, "/app/approvers", body))).toBe("invitation_invalid");
    const { invitation } = body;
    const check = post(phone, "/app/invitations/check", { invitation });
    expect(await refusalOf(check)).toBe("invitation_invalid");
  });

  it("is not found by guessing, and is stored by its hash only", async () => {
    const { body } = await enrolling();
    const { invitation = "" } = body;
    for (const guess of ["", "x", randomNonce(), invitation.slice(1), `${invitation}0`]) {
      const check = post(ada, "/app/invitations/check", { invitation: guess });
      expect(await refusalOf(check)).toBe("invitation_invalid");
    }
    const stored =
      await world.sql`select from invitation where hash in (${invitation}, ${invitation.replaceAll("-", "")})`;
    expect(stored).toHaveLength(0);
  });

  it("may be typed without its hyphens, in small letters", async () => {
    const { phone, body } = await enrolling();
    const invitation = ` ${(body.invitation ?? "").replaceAll("-", " ").toLowerCase()}`;
    const enrolled = await post(phone, "/app/approvers", { ...body, invitation });
    expect(enrolled.status).toBe(201);
  });

  it("is kept in a cookie that no script reads, tells nothing else, and dies with its use", async () => {
    const { body } = await enrolling();
    const { invitation, ...withoutInvitation } = body;
    const send = (path: string, value: unknown, cookie = "") =>
      fetch(`${origin}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", origin, cookie },
        body: JSON.stringify(value),
      });
    const site = async (cookie: string) =>
      (await fetch(`${origin}/app/site`, { headers: { cookie } })).json();

    expect(await refusalOf(send("/app/invitations/check", {}))).toBe("invitation_invalid");
    const checked = await send("/app/invitations/check", { invitation });
    const kept = checked.headers.get("set-cookie") ?? "";
    expect(kept).toMatch(/^__Host-invitation=[^;]+; /);
    for (const attribute of ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"]) {
      expect(kept).toContain(attribute);
    }
    const cookie = kept.split(";")[0] ?? "";
    expect(await site(cookie)).toMatchObject({ invited: true });
    expect(await site("__Host-invitation=x")).not.toHaveProperty("invited");

    const { invitation: _, ...other } = (await enrolling()).body;
    expect(await refusalOf(send("/app/approvers", other))).toBe("invitation_invalid");
    const enrolled = await send("/app/approvers", withoutInvitation, cookie);
    expect(enrolled.status).toBe(201);
    expect(enrolled.headers.get("set-cookie")).toMatch(/__Host-invitation=; Max-Age=0/);
    expect(await site(cookie)).not.toHaveProperty("invited");
  });

  it("comes from a signed-in approver only", async () => {
    const stranger = await createSoftPhone({ origin });
    expect(await refusalOf(post(stranger, "/app/invitations", {}))).toBe("unauthenticated");
  });
});

describe("signing in", () => {
  const site = () => ({ issuer: origin, rp_id: "localhost", origin });
  const login = async (overrides: CeremonyOverrides = {}, nonce?: string) => {
    const broker_nonce = nonce ?? (await nonceFor("login"));
    const challenge = siteChallenge("login", site(), broker_nonce);
    return { broker_nonce, assertion: await ada.authenticator.assert(challenge, overrides) };
  };

  it("takes an assertion once", async () => {
    const body = await login();
    expect((await post(ada, "/app/session", body)).status).toBe(201);
    expect(await refusalOf(post(ada, "/app/session", body))).toBe("nonce_stale");
  });

  it.each<CeremonyOverrides>([
    { crossOrigin: true },
    { topOrigin: "https://example.com" },
    { flags: { uv: false } },
    { flags: { up: false } },
    { flags: { be: false, bs: false } },
    { origin: "https://evil.example" },
    { rpId: "evil.example" },
    { type: "webauthn.create" },
  ])("is refused when the authenticator answered %j", async (overrides) => {
    expect(await refusalOf(post(ada, "/app/session", await login(overrides)))).toBe(
      "assertion_invalid",
    );
  });

  it("is refused with a nonce that ran out, was made up, or was given for something else", async () => {
    for (const purpose of ["register", "credential", "pair"]) {
      const body = await login({}, await nonceFor(purpose));
      expect(await refusalOf(post(ada, "/app/session", body)), purpose).toBe("nonce_stale");
    }
    expect(await refusalOf(post(ada, "/app/session", await login({}, randomNonce())))).toBe(
      "nonce_stale",
    );
    const late = await login();
    await world.sql`update nonce set expires_at = now() - interval '1 second' where value = ${late.broker_nonce}`;
    expect(await refusalOf(post(ada, "/app/session", late))).toBe("nonce_stale");
  });

  it("is refused with what was signed for anything else, and is good for nothing else", async () => {
    const broker_nonce = await nonceFor("login");
    const bytes = siteStatementBytes(site(), broker_nonce);
    for (const purpose of [
      "register",
      "approve",
      "pair",
      "credential",
      "device",
      "practice",
    ] satisfies Purpose[]) {
      const assertion = await ada.authenticator.assert(hashBytes(purpose, bytes));
      expect(await refusalOf(post(ada, "/app/session", { broker_nonce, assertion })), purpose).toBe(
        "assertion_invalid",
      );
    }
    const { rid } = await world.agent.request();
    const approval = await ada.signApproval(rid);
    const { assertion } = await login({}, broker_nonce);
    const decided = ada.call("POST", `/app/requests/${rid}/decisions`, { ...approval, assertion });
    expect(await refusalOf(decided)).toBe("assertion_invalid");
    const crossed = post(ada, "/app/session", { broker_nonce, assertion: approval.assertion });
    expect(await refusalOf(crossed)).toBe("assertion_invalid");
    await world.agent.call("POST", `/v1/requests/${rid}/cancel`, {});
  });

  it("is refused with a passkey that is unknown, another's, or revoked", async () => {
    const body = await login();
    const id = toBase64url(crypto.getRandomValues(new Uint8Array(16)));
    const unknown = { ...body, assertion: { ...body.assertion, id } };
    expect(await refusalOf(post(ada, "/app/session", unknown))).toBe("credential_unknown");
    const response = { ...body.assertion.response, userHandle: randomId() };
    const handled = { ...body, assertion: { ...body.assertion, response } };
    expect(await refusalOf(post(ada, "/app/session", handled))).toBe("credential_unknown");
    await world.sql`update credential set revoked_at = now() where approver = ${ada.approver()}`;
    expect(await refusalOf(post(ada, "/app/session", body))).toBe("credential_unknown");
    await world.sql`update credential set revoked_at = null`;
    expect((await post(ada, "/app/session", body)).status).toBe(201);
  });
});

describe("a session", () => {
  const requests = "/app/requests?view=inbox";

  it("is demanded by all that is an approver's", async () => {
    const rid = randomId();
    const id = randomNonce();
    const reads = ["/app/me", requests, `/app/requests/${rid}`, `/app/requests/${rid}/context`];
    reads.push("/app/events", "/app/agents", `/app/pairings/${id}`);
    const writes = [
      "/app/invitations",
      `/app/requests/${rid}/ceremony`,
      `/app/requests/${rid}/decisions`,
    ];
    writes.push(`/app/pairings/${id}/acceptance`);
    const stranger = await createSoftPhone({ origin });
    for (const cookie of [undefined, "", randomNonce(), "\u00e9", "a;b", `${"x".repeat(3000)}`]) {
      const headers: Record<string, string> =
        cookie === undefined ? {} : { cookie: `__Host-session=${cookie}` };
      for (const path of reads) {
        expect(await refusalOf(stranger.call("GET", path, undefined, headers)), path).toBe(
          "unauthenticated",
        );
      }
      for (const path of writes) {
        expect(await refusalOf(stranger.call("POST", path, {}, headers)), path).toBe(
          "unauthenticated",
        );
      }
    }
  });

  it("is gone once signed out, and once it ran out", async () => {
    const cookies: string[] = [];
    const phone = await createSoftPhone({
      origin,
      fetch: (input, init) => {
        const { cookie } = (init?.headers ?? {}) as Record<string, string>;
        if (cookie !== undefined) cookies.push(cookie);
        return fetch(input, init);
      },
    });
    await phone.enrol(await ada.invite(), "Grace");
    await phone.me();
    const cookie = cookies.at(-1) ?? "";
    expect((await phone.call("DELETE", "/app/session")).status).toBe(204);
    expect(await refusalOf(phone.call("GET", "/app/me", undefined, { cookie }))).toBe(
      "unauthenticated",
    );
    await phone.signIn();
    await world.sql`update session set expires_at = now() - interval '1 second' where approver = ${phone.approver()}`;
    expect(await refusalOf(phone.call("GET", "/app/me"))).toBe("unauthenticated");
  });

  it("travels in a cookie that no script, no other site and no subdomain gets", async () => {
    const body = await loginOf(ada);
    const answer = await post(ada, "/app/session", body);
    const [line = ""] = answer.headers.getSetCookie();
    expect(line).toMatch(/^__Host-session=/);
    for (const attribute of ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"])
      expect(line).toContain(attribute);
    expect(line).not.toContain("Domain");
    expect(JSON.stringify(await answer.json())).not.toContain(/=([^;]*)/.exec(line)?.[1]);
  });

  it("is refused to another site's page", async () => {
    const foreign: Record<string, string>[] = [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: "" },
      { origin: `${origin}.evil.example` },
      { origin: origin.toUpperCase() },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "none", origin: "https://evil.example" },
    ];
    for (const headers of foreign) {
      for (const [method, path] of [
        ["POST", "/app/invitations"],
        ["DELETE", "/app/session"],
        ["POST", "/app/nonces"],
      ] as const) {
        const answer = ada.call(method, path, method === "POST" ? {} : undefined, headers);
        expect(await refusalOf(answer), JSON.stringify(headers)).toBe("cross_site");
      }
    }
    for (const site of ["cross-site", "same-site", "evil"]) {
      const answer = ada.call("GET", "/app/me", undefined, { "sec-fetch-site": site });
      expect(await refusalOf(answer)).toBe("cross_site");
    }
    expect((await ada.me()).approver).toBe(ada.approver());
  });

  it("is refused where the origin is missing", async () => {
    const { host } = new URL(origin);
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const headers = { host, "content-type": "application/json" };
      const answer = rawCall(origin, { method, path: "/app/session", headers, body: "{}" });
      expect(await refusalOf(answer), method).toBe("cross_site");
    }
  });

  it("takes JSON only, which no form of another site can send", async () => {
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "application/json+x",
      "text/json",
      "",
    ]) {
      const answer = ada.call(
        "POST",
        "/app/nonces",
        { purpose: "login" },
        { ...fromElsewhere(), "content-type": type },
      );
      expect(await refusalOf(answer), type).toBe("unsupported_media_type");
    }
  });
});

async function loginOf(phone: SoftPhone) {
  const broker_nonce = await nonceFor("login");
  const challenge = siteChallenge(
    "login",
    { issuer: origin, rp_id: "localhost", origin },
    broker_nonce,
  );
  return { broker_nonce, assertion: await phone.authenticator.assert(challenge) };
}

describe("another host name", () => {
  it("gets nothing from here", async () => {
    const { host, port } = new URL(origin);
    for (const name of [
      "evil.example",
      `evil.example:${port}`,
      `127.0.0.1:${port}`,
      "localhost",
      `localhost.:${port}`,
      `${host}.evil.example`,
    ]) {
      for (const path of [
        "/app/site",
        "/token",
        "/.well-known/openid-configuration",
        "/v1/events",
        "/",
      ]) {
        const answer = rawCall(origin, { path, headers: { host: name, origin } });
        expect(await refusalOf(answer), `${name} ${path}`).toMatch(
          /^(wrong_host|invalid_request)$/,
        );
      }
    }
  });
});
