import {
  fromBase64url,
  type Outcome,
  outcome as outcomeSchema,
  type RequestObject,
  randomBytes,
  randomId,
  randomNonce,
  resultHash,
  sha256Text,
  signOutcome,
  signRequestObject,
  utf8,
} from "@countersign/shared";
import {
  createSoftAgent,
  type SoftAgent,
  type SoftRequest,
} from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  attackedWorld,
  flip,
  handmadeJws,
  jwsOver,
  positions,
  rawCall,
  refusalOf,
  type World,
} from "../testing/attack.js";

let world: World;
let agent: SoftAgent;
let phone: SoftPhone;
let origin: string;
let stranger: SoftAgent;

beforeAll(async () => {
  world = await attackedWorld();
  ({ agent, phone } = world);
  origin = world.broker.site.origin;
  stranger = await createSoftAgent({ origin });
});
afterAll(() => world.close());
// An agent may have sixteen contexts waiting; what one test refused is not the next one's.
afterEach(() => world.sql`delete from sealed_context where rid is null`);

const now = (): number => Math.floor(Date.now() / 1000);
const authorize = (request: string) => agent.form("/bc-authorize", { request });
const uploaded = async (given: Parameters<SoftAgent["prepare"]>[0] = {}): Promise<SoftRequest> => {
  const prepared = await agent.prepare(given);
  await agent.upload(prepared);
  return prepared;
};
const storedRequests = async (): Promise<number> =>
  (await world.sql`select from authorization_request`).length;
const cancel = (rid: string) => agent.call("POST", `/v1/requests/${rid}/cancel`, {});

describe("AR", () => {
  it("is refused with one byte changed, wherever", async () => {
    const { jws, rid } = await uploaded();
    const before = await storedRequests();
    const parts = jws.split(".");
    for (const [index, part] of parts.entries()) {
      for (const at of positions(part, 14)) {
        const bent = parts
          .map((text, place) => (place === index ? flip(text, at) : text))
          .join(".");
        expect(await refusalOf(authorize(bent)), `${index} ${at}`).toBeTruthy();
      }
    }
    expect(await storedRequests()).toBe(before);
    expect((await authorize(jws)).status).toBe(200);
    await cancel(rid);
  });

  it.each<[string, () => Partial<RequestObject>, string]>([
    ["for another issuer", () => ({ aud: "https://evil.example" }), "invalid_request"],
    ["by another client", () => ({ iss: stranger.clientId }), "invalid_binding"],
    ["over", () => ({ iat: now() - 30, nbf: now() - 30, exp: now() - 1 }), "expired"],
    ["good for more than ten minutes", () => ({ exp: now() + 700 }), "invalid_request"],
    ["over before it began", () => ({ exp: now() - 100, iat: now() }), "invalid_request"],
    ["61 s behind", () => ({ iat: now() - 62 }), "clock_skew"],
    ["61 s ahead", () => ({ iat: now() + 63 }), "clock_skew"],
    ["not yet good", () => ({ nbf: now() + 63 }), "clock_skew"],
    ["hinting at another approver", () => ({ login_hint: randomId() }), "invalid_request"],
    ["for another scope", () => ({ scope: "openid profile" as "openid" }), "unknown_member"],
    ["with a short id", () => ({ jti: "AAAA" }), "unknown_member"],
    ["with no details", () => ({ authorization_details: [] }), "unknown_member"],
    ["with an unknown member", () => ({ binding_message: "pay" }) as object, "unknown_member"],
    ["with a null", () => ({ nbf: null }) as object, "unknown_member"],
    ["with a time that is no integer", () => ({ exp: now() + 0.5 }), "unknown_member"],
  ])("is refused when it is %s", async (_, claims, code) => {
    const { jws } = await uploaded({ claims: claims() });
    expect(await refusalOf(authorize(jws))).toBe(code);
  });

  it.each<[string, object, string]>([
    ["of another type", { type: "payment" }, "unknown_member"],
    ["of no tier", { tier: "blue" }, "unknown_member"],
    ["for nobody", { approvers: [] }, "unknown_member"],
    ["with a quorum of none", { quorum: 0 }, "unknown_member"],
    ["with a quorum that nobody can reach", { quorum: 2 }, "invalid_request"],
    ["with half a quorum", { quorum: 0.5 }, "unknown_member"],
    ["with a renderer that nobody has", { renderer: "1" }, "renderer_unsupported"],
    ["with a short hash", { ctx: "AAAA" }, "unknown_member"],
    ["with an unknown member", { note: "x" }, "unknown_member"],
    ["without a context", { sealed_sha256: sha256Text(utf8("nothing")) }, "context_missing"],
  ])("is refused with details %s", async (_, members, code) => {
    const { jws } = await bentDetail(members);
    expect(await refusalOf(authorize(jws))).toBe(code);
  });

  it("is refused when it names one approver twice", async () => {
    const { jws } = await bentDetail({
      approvers: [phone.approver(), phone.approver()],
      quorum: 2,
    });
    expect(await refusalOf(authorize(jws))).toBe("invalid_request");
  });

  it("is refused by another key, though the claims are right", async () => {
    const { claims } = await uploaded();
    const forged = await signRequestObject(claims, stranger.key);
    expect(await refusalOf(authorize(forged))).toBe("invalid_binding");
    const named = await signRequestObject(claims, { ...stranger.key, kid: agent.clientId });
    expect(await refusalOf(authorize(named))).toBe("invalid_binding");
  });

  it("is refused as another kind of object, and with an algorithm outside the list", async () => {
    const { jws } = await uploaded();
    const payload = fromBase64url(jws.split(".")[1] ?? "");
    for (const typ of [
      "countersign-outcome+jwt",
      "countersign-pairing+jwt",
      "dpop+jwt",
      "at+jwt",
      "JWT",
      undefined,
    ]) {
      const swapped = await jwsOver(
        payload,
        typ === undefined ? {} : { typ },
        agent.key.privateKey,
      );
      expect(await refusalOf(authorize(swapped)), typ).toBe("unsupported_algorithm");
    }
    for (const alg of ["none", "HS256", "RS256", "ES384", "ES512", "EdDSA"]) {
      const header = JSON.stringify({ alg, typ: "oauth-authz-req+jwt" });
      expect(await refusalOf(authorize(handmadeJws(header, payload))), alg).toBe(
        "unsupported_algorithm",
      );
    }
    const critical = await jwsOver(
      payload,
      { typ: "oauth-authz-req+jwt", crit: ["b64"], b64: true },
      agent.key.privateKey,
    );
    expect(await refusalOf(authorize(critical))).toBe("unsupported_algorithm");
  });

  it("keeps its id for its own octets", async () => {
    const first = await uploaded();
    expect((await authorize(first.jws)).status).toBe(200);
    expect((await authorize(first.jws)).status).toBe(200);
    const other = await uploaded({ claims: { jti: first.rid } });
    expect(await refusalOf(authorize(other.jws))).toBe("invalid_request");
    await cancel(first.rid);
    expect(await refusalOf(authorize(other.jws))).toBe("invalid_request");
    expect((await agent.status(first.rid)).state).toBe("canceled");
  });

  it("gets its answer though it is over, and its context was deleted and uploaded again", async () => {
    const prepared = await uploaded();
    const first = await (await authorize(prepared.jws)).json();
    await cancel(prepared.rid);
    await world.sql`delete from sealed_context where rid = ${prepared.rid}`;
    await agent.upload(prepared);
    const again = (await (await authorize(prepared.jws)).json()) as object;
    expect(again).toMatchObject({ req_nonce: (first as { req_nonce: string }).req_nonce });
    expect((await agent.status(prepared.rid)).state).toBe("canceled");
    const other = await uploaded({ claims: { jti: prepared.rid, iat: 1, nbf: 1, exp: 2 } });
    expect(await refusalOf(authorize(other.jws))).toBe("invalid_request");
  });

  it("is stored once when it comes ten times at once, with one answer", async () => {
    const { jws, rid } = await uploaded();
    const answers = await Promise.all(
      Array.from({ length: 10 }, async () => (await authorize(jws)).json()),
    );
    const nonces = new Set(answers.map((answer) => (answer as { req_nonce: string }).req_nonce));
    expect(nonces.size).toBe(1);
    await cancel(rid);
  });
});

async function bentDetail(members: object): Promise<SoftRequest> {
  const prepared = await uploaded();
  const [detail] = prepared.claims.authorization_details;
  const claims = { ...prepared.claims, authorization_details: [{ ...detail, ...members }] };
  return { ...prepared, jws: await signRequestObject(claims as RequestObject, agent.key) };
}

describe("a plain CIBA request", () => {
  it("is refused: nothing that the agent did not sign is asked", async () => {
    const before = await storedRequests();
    const plain: Record<string, string>[] = [
      { scope: "openid", login_hint: phone.approver() },
      {
        scope: "openid",
        login_hint: phone.approver(),
        binding_message: "pay",
        requested_expiry: "60",
      },
      { scope: "openid", login_hint_token: "x" },
      { scope: "openid", id_token_hint: "x" },
      { request: "" },
      { request: "x" },
      { request_uri: "https://evil.example/request" },
    ];
    for (const parameters of plain) {
      expect(await refusalOf(agent.form("/bc-authorize", parameters))).toMatch(
        /^invalid_(request|encoding)$/,
      );
    }
    expect(await storedRequests()).toBe(before);
  });

  it("is not mixed in: what stands beside a signed request changes nothing", async () => {
    const { jws, rid } = await uploaded();
    const beside = {
      request: jws,
      login_hint: randomId(),
      scope: "admin",
      auth_req_id: randomId(),
    };
    expect((await agent.form("/bc-authorize", beside)).status).toBe(200);
    const [row] = await world.sql`select approvers from authorization_request where rid = ${rid}`;
    expect(row?.["approvers"]).toEqual([phone.approver()]);
    await cancel(rid);
  });
});

describe("a context", () => {
  const put = (sha256: string, octets: Uint8Array) =>
    agent.call("PUT", `/v1/contexts/${sha256}`, octets);

  it("is refused under another hash", async () => {
    const octets = randomBytes(100);
    for (const sha256 of [randomNonce(), flip(sha256Text(octets), 0), sha256Text(randomBytes(1))]) {
      expect(await refusalOf(put(sha256, octets))).toBe("invalid_binding");
    }
    expect(await refusalOf(put("short", octets))).toBe("unknown_member");
  });

  it("and its picture's piece are both there before a request that names both", async () => {
    const prepared = await agent.prepare({ picture: randomBytes(50) });
    await agent.call("PUT", `/v1/contexts/${prepared.sealedSha256}`, prepared.sealed);
    expect(await refusalOf(agent.authorize(prepared))).toBe("context_missing");
    await agent.upload(prepared);
    expect((await agent.authorize(prepared)).status).toBe(200);
    expect((await agent.authorize(prepared)).status).toBe(200);
    const bound = await world.sql`select 1 from sealed_context where rid = ${prepared.rid}`;
    expect(bound).toHaveLength(2);
    await agent.call("POST", `/v1/requests/${prepared.rid}/cancel`, {});
  });

  it("is refused when it is no text", async () => {
    for (const octets of [Uint8Array.of(0xff), Uint8Array.of(0x7b, 0, 0x7d)]) {
      expect(await refusalOf(put(sha256Text(octets), octets))).toBe("invalid_encoding");
    }
  });

  it("is refused when it is too large, declared or not", async () => {
    const path = `/v1/contexts/${randomNonce()}`;
    const { access_token: token } = (await (
      await agent.form("/token", { grant_type: "client_credentials" })
    ).json()) as { access_token: string };
    const proven = async () => ({
      authorization: `DPoP ${token}`,
      dpop: await agent.dpop("PUT", path, token),
      connection: "close",
    });
    const { host } = new URL(origin);
    const headers = { ...(await proven()), host, "content-length": "2900001" };
    expect(await refusalOf(rawCall(origin, { method: "PUT", path, headers }))).toBe("too_large");
    // Ends by itself: a server that would read on must not be fed for ever.
    const chunks = Array.from({ length: 8 }, () => new Uint8Array(500_000));
    const body = new ReadableStream({
      pull: (controller) => {
        const chunk = chunks.pop();
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
    });
    const streamed = fetch(`${origin}${path}`, {
      method: "PUT",
      headers: await proven(),
      body,
      duplex: "half",
    } as RequestInit);
    expect(await refusalOf(streamed)).toBe("too_large");
  });

  it("serves one request", async () => {
    const first = await uploaded();
    await authorize(first.jws);
    const claims = { ...first.claims, jti: randomId() };
    const again = await signRequestObject(claims, agent.key);
    expect(await refusalOf(authorize(again))).toBe("context_missing");
    await cancel(first.rid);
  });
});

describe("an outcome", () => {
  const report = (rid: string, outcome: string) =>
    agent.call("POST", `/v1/requests/${rid}/outcome`, { outcome });
  const redeemed = async () => {
    const request = await agent.request();
    await phone.approve(request.rid);
    await agent.poll(request.rid);
    return request;
  };

  it("is refused before redemption, whatever the state", async () => {
    const request = await agent.request();
    expect(await refusalOf(report(request.rid, await agent.outcomeOf(request)))).toBe(
      "not_redeemed",
    );
    await phone.approve(request.rid);
    expect(await refusalOf(report(request.rid, await agent.outcomeOf(request)))).toBe(
      "not_redeemed",
    );
    const evidence = agent.call("GET", `/v1/requests/${request.rid}/evidence`);
    expect(await refusalOf(evidence)).toBe("not_redeemed");
    await cancel(request.rid);
    expect(await refusalOf(report(request.rid, await agent.outcomeOf(request)))).toBe(
      "not_redeemed",
    );
  });

  it("is refused for another request, action, key or number", async () => {
    const request = await redeemed();
    const bends: [Partial<Outcome>, string][] = [
      [{ rid: randomId() }, "invalid_binding"],
      [{ ar_hash: randomNonce() }, "invalid_binding"],
      [{ ctx: randomNonce() }, "invalid_binding"],
      [{ n: 2 }, "outcome_out_of_order"],
      [{ n: 1000 }, "outcome_out_of_order"],
      [{ n: 0 }, "unknown_member"],
      [{ n: 1001 }, "unknown_member"],
      [{ n: 1.5 }, "unknown_member"],
      [{ status: "approved" as "succeeded" }, "unknown_member"],
      [{ approved: true } as object, "unknown_member"],
    ];
    for (const [claims, code] of bends) {
      const bent = await agent.outcomeOf(request, claims);
      expect(await refusalOf(report(request.rid, bent)), JSON.stringify(claims)).toBe(code);
    }
    const honest = await agent.outcomeOf(request);
    const claims = outcomeSchema.parse(
      JSON.parse(Buffer.from(honest.split(".")[1] ?? "", "base64url").toString()),
    );
    expect(await refusalOf(report(request.rid, await signOutcome(claims, stranger.key)))).toBe(
      "invalid_binding",
    );
    expect((await agent.status(request.rid)).state).toBe("redeemed");
  });

  it("is refused with one byte changed, and as another kind of object", async () => {
    const request = await redeemed();
    const honest = await agent.outcomeOf(request);
    const parts = honest.split(".");
    for (const [index, part] of parts.entries()) {
      for (const at of positions(part, 10)) {
        const bent = parts
          .map((text, place) => (place === index ? flip(text, at) : text))
          .join(".");
        expect(await refusalOf(report(request.rid, bent)), `${index} ${at}`).toBeTruthy();
      }
    }
    const payload = fromBase64url(parts[1] ?? "");
    for (const typ of ["oauth-authz-req+jwt", "countersign-pairing+jwt", "dpop+jwt", "JWT"]) {
      const swapped = await jwsOver(payload, { typ }, agent.key.privateKey);
      expect(await refusalOf(report(request.rid, swapped)), typ).toBe("unsupported_algorithm");
    }
    expect(await refusalOf(report(request.rid, request.jws))).toBe("unsupported_algorithm");
  });

  it("is appended and never replaced", async () => {
    const request = await redeemed();
    const first = await agent.outcomeOf(request);
    expect((await report(request.rid, first)).status).toBe(200);
    expect((await report(request.rid, first)).status).toBe(200);
    const other = await agent.outcomeOf(request, { status: "failed" });
    expect(await refusalOf(report(request.rid, other))).toBe("outcome_out_of_order");
    const raced = await Promise.all(
      (["succeeded", "failed", "unknown"] as const).map(async (status) =>
        report(request.rid, await agent.outcomeOf(request, { n: 2, status })),
      ),
    );
    expect(raced.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await agent.status(request.rid)).toMatchObject({ outcomes: 2, state: "reported" });
  });

  it("hides its result: the same result never hashes alike", () => {
    const result = utf8("done");
    expect(resultHash(randomNonce(), result)).not.toBe(resultHash(randomNonce(), result));
  });
});

describe("a redemption", () => {
  it("happens once, raced or not, and again only with the same key and in time", async () => {
    const request = await agent.request();
    await phone.approve(request.rid);
    const keys = ["one", "two", "three", "four"];
    const polls = await Promise.all(
      keys.map((idempotencyKey) => agent.poll(request.rid, { idempotencyKey })),
    );
    expect(polls.filter(({ status }) => status === 200)).toHaveLength(1);
    const winner = keys[polls.findIndex(({ status }) => status === 200)] ?? "";
    for (const idempotencyKey of [undefined, "", `${winner}x`, "five"]) {
      const given = idempotencyKey === undefined ? {} : { idempotencyKey };
      expect((await agent.poll(request.rid, given)).body, idempotencyKey).toMatchObject({
        error: "invalid_grant",
      });
    }
    expect((await agent.poll(request.rid, { idempotencyKey: winner })).status).toBe(200);
    await world.sql`update authorization_request set redeemed_at = now() - interval '61 seconds' where rid = ${request.rid}`;
    expect((await agent.poll(request.rid, { idempotencyKey: winner })).body).toMatchObject({
      error: "invalid_grant",
    });
    await world.sql`update authorization_request set redeemed_at = now(), expires_at = now() where rid = ${request.rid}`;
    expect((await agent.poll(request.rid, { idempotencyKey: winner })).body).toMatchObject({
      error: "invalid_grant",
    });
  });
});
