import { connect } from "node:net";
import { type Enrolment, randomId, randomNonce, toBase64url, utf8 } from "@countersign/shared";
import type { SoftAgent } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  attackedWorld,
  interceptedPhone,
  offerOf,
  rawCall,
  refusalOf,
  type World,
} from "../testing/attack.js";

let world: World;
let agent: SoftAgent;
let ada: SoftPhone;
let origin: string;
let host: string;

beforeAll(async () => {
  world = await attackedWorld();
  ({ agent, phone: ada } = world);
  origin = world.broker.site.origin;
  ({ host } = new URL(origin));
});
afterAll(() => world.close());
afterEach(() => {
  expect(world.logged.filter((line) => line.startsWith("unexpected failure"))).toEqual([]);
});

let caller = 0;
const fromElsewhere = (): Record<string, string> => ({ "x-forwarded-for": `10.1.0.${++caller}` });
const app = (
  path: string,
  body: string | Uint8Array | null,
  headers: Record<string, string> = {},
) =>
  fetch(`${origin}${path}`, {
    method: "POST",
    headers: { origin, "content-type": "application/json", ...fromElsewhere(), ...headers },
    body: body as BodyInit,
  });

describe("hostile bytes", () => {
  it("in a JSON body are refused with a code", async () => {
    const members = Array.from({ length: 10_000 }, (_, index) => `"m${index}":0`).join();
    const bodies: [string, string | Uint8Array | null][] = [
      ["none", null],
      ["empty", ""],
      ["no JSON", "{"],
      ["NUL", "\u0000"],
      ["10,000 members", `{${members}}`.slice(0, 60_000)],
      ["10,000 levels", "[".repeat(10_000)],
      ["a huge number", `{"purpose":${"9".repeat(50_000)}}`],
      ["a huge exponent", '{"purpose":1e999999999999999999999}'],
      ["a small exponent", `{"purpose":1e-${"9".repeat(1000)}}`],
      ["a lone surrogate", '{"purpose":"\\udc00"}'],
      ["raw surrogate bytes", Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)],
      ["__proto__", '{"__proto__":{"purpose":"login"}}'],
      ["a prototype's member", '{"constructor":{"prototype":{"purpose":"login"}}}'],
      ["a list", '["login"]'],
      ["another type", '{"purpose":{"$ne":null}}'],
      ["an unknown purpose", '{"purpose":"approve"}'],
      ["an unknown member", '{"purpose":"login","challenge":"AAAA"}'],
      ["UTF-16", Uint8Array.from(Buffer.from('{"purpose":"login"}', "utf16le"))],
    ];
    for (const [name, body] of bodies) {
      const code = await refusalOf(app("/app/nonces", body));
      expect(code, name).toMatch(
        /^(invalid_|unknown_member|too_deep|number_not_exact|forbidden_member)/,
      );
    }
    expect(await refusalOf(app("/app/nonces", "x".repeat(65_537)))).toBe("too_large");
  });

  it("in a name that no text column holds are refused with a code", async () => {
    const { phone, intercept } = await interceptedPhone(world.broker);
    const invitation = await ada.invite();
    const body = await intercept<Enrolment>("/app/approvers", () => phone.enrol(invitation, "Nul"));
    for (const name of ["\u0000", "A\u0000B", ""]) {
      const answer = phone.call("POST", "/app/approvers", { ...body, name }, fromElsewhere());
      expect(await refusalOf(answer)).toMatch(/^(invalid_encoding|unknown_member)$/);
    }
    const named = { ...body, name: "\u202eadA \ud83d\udc7e '); drop table approver; --" };
    expect((await phone.call("POST", "/app/approvers", named, fromElsewhere())).status).toBe(201);
  });

  it("in an agent's name are refused before it is anybody's agent", async () => {
    for (const names of [{ name: "a\u0000b" }, { host: "\u0000" }]) {
      const offer = await offerOf(agent, origin, names);
      const answer = agent.call("POST", "/v1/pairings", { offer: offer.jws });
      expect(await refusalOf(answer)).toMatch(/^(invalid_encoding|unknown_member)$/);
    }
  });

  it("in a form are refused with a code", async () => {
    const grant = "urn:openid:params:grant-type:ciba";
    for (const auth_req_id of [
      "",
      "\u0000",
      "a\u0000",
      "../..",
      "x".repeat(50_000),
      "\ud800",
      "'; --",
      randomId(),
    ]) {
      const answer = agent.form("/token", { grant_type: grant, auth_req_id });
      expect(await refusalOf(answer), JSON.stringify(auth_req_id.slice(0, 9))).toMatch(
        /^(not_found|invalid_\w+|unknown_member)$/,
      );
    }
    for (const grant_type of [
      "",
      "password",
      "authorization_code",
      "\u0000",
      "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ]) {
      expect(await refusalOf(agent.form("/token", { grant_type })), grant_type).toBe(
        "invalid_request",
      );
    }
    expect(await refusalOf(agent.form("/token", { grant_type: grant }))).toBe("invalid_request");
    const bodies = ["", "&&&", "%", "%00=%ff", "a=1&a=2", "=", "x".repeat(65_537)];
    for (const path of ["/token", "/bc-authorize"]) {
      for (const body of bodies) {
        const headers = { "content-type": "application/x-www-form-urlencoded" };
        const answer = fetch(`${origin}${path}`, { method: "POST", headers, body });
        expect(await refusalOf(answer)).toMatch(/^(invalid_client|invalid_request|too_large)$/);
      }
    }
  });

  it("in a content type are refused with a code", async () => {
    const types = [
      "",
      ";",
      "application/json;",
      "application/json; charset=utf-16",
      "a/b/c",
      "multipart/form-data; boundary=",
      "application/x-www-form-urlencoded\t",
      "\u00e9",
    ];
    for (const type of types) {
      for (const path of ["/token", "/bc-authorize", "/app/nonces", "/app/session"]) {
        const headers = { host, origin, "content-type": type, ...fromElsewhere() };
        const answer = await rawCall(origin, { method: "POST", path, headers, body: "x" });
        expect(await refusalOf(answer), `${type} ${path}`).toBeTruthy();
      }
    }
  });

  it("in a path or a query are refused with a code", async () => {
    const ids = [
      "%00",
      "%2e%2e%2f",
      "%E0%A4%A",
      "%25%30%30",
      "..%5c",
      "'",
      "%27%20or%201=1--",
      "A".repeat(5000),
      randomId(),
      "%F0%9F%91%BE",
      "%ed%a0%80",
    ];
    for (const id of ids) {
      for (const path of [
        `/app/requests/${id}`,
        `/app/requests/${id}/context`,
        `/app/pairings/${id}`,
      ]) {
        const answer = ada.call("GET", path);
        expect(await refusalOf(answer), path.slice(0, 60)).toMatch(
          /^(not_found|unknown_member|invalid_request)$/,
        );
      }
    }
    const queries = [
      "view=",
      "view=all",
      "view=history&before=%00",
      "view=history&before=eyJ9",
      "view=inbox&view=x",
      "",
    ];
    queries.push(
      `view=history&before=${toBase64url(utf8('{"createdAt":1e999,"rid":"AAAAAAAAAAAAAAAAAAAAAA"}'))}`,
    );
    queries.push(`view=history&before=${toBase64url(utf8('{"createdAt":"now","rid":"\\u0000"}'))}`);
    for (const query of queries) {
      const answer = await ada.call("GET", `/app/requests?${query}`);
      if (!answer.ok)
        expect(await refusalOf(answer), query).toMatch(/^(unknown_member|invalid_request)$/);
    }
    for (const after of ["", "x", "%00", "live&after=live"]) {
      const answer = await ada.call("GET", `/app/pairings/${randomNonce()}?after=${after}`);
      expect(await refusalOf(answer)).toMatch(/^(not_found|unknown_member)$/);
    }
    const huge = JSON.stringify({ createdAt: 1e308, rid: randomId() });
    const page = await ada.call(
      "GET",
      `/app/requests?view=history&before=${toBase64url(utf8(huge))}`,
    );
    expect(page.status).toBe(200);
  });

  it("in a request target or a Host are refused with a code", async () => {
    const targets = ["/app/../app/me", "/app//me", "//app/me", "/app/me/", "/%61pp/me", "/app\\me"];
    for (const path of targets) {
      const answer = await rawCall(origin, { path, headers: { host } }).catch(() => undefined);
      // A path that is no call is the web app's, where one is served: its shell knows nothing.
      const isShell = answer?.headers.get("content-type")?.startsWith("text/html");
      if (answer && !isShell) expect(await refusalOf(answer), path).toBeTruthy();
    }
    for (const name of [
      "a b",
      "[::1",
      "evil.example@localhost",
      "localhost:99999",
      "localhost:x",
      "\u00e9",
      "%00",
    ]) {
      const answer = rawCall(origin, { path: "/app/site", headers: { host: name } });
      expect(await refusalOf(answer), name).toMatch(/^(wrong_host|invalid_request)$/);
    }
  });

  it("in a header are refused with a code", async () => {
    const path = `/v1/requests/${randomId()}`;
    const odd: Record<string, string>[] = [
      { authorization: "DPoP" },
      { authorization: "DPoP  " },
      { authorization: `DPoP ${"x".repeat(10_000)}` },
      { authorization: "DPoP a.b.c", dpop: "x" },
      { authorization: "DPoP \u00e9" },
      { dpop: "x".repeat(10_000) },
      { cookie: `__Host-session=${"x".repeat(10_000)}` },
      { cookie: "__Host-session=%00; __Host-session=%ff" },
      { "last-event-id": "99999999999999999999" },
    ];
    for (const headers of odd) {
      expect(await refusalOf(rawCall(origin, { path, headers: { host, ...headers } }))).toBe(
        "invalid_token",
      );
      const answer = rawCall(origin, { path: "/app/me", headers: { host, ...headers } });
      expect(await refusalOf(answer)).toBe("unauthenticated");
    }
    const flood = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`x-${index}`, "y"]),
    );
    const answer = await rawCall(origin, { path: "/app/me", headers: { host, ...flood } });
    expect(await refusalOf(answer)).toMatch(/^(unauthenticated|wrong_host|invalid_request)$/);
    for (const id of ["-1", "x", "1e9", "", " ", "99999999999999999999", "1;"]) {
      const events = await agentEvents(id);
      expect(await refusalOf(events), id).toMatch(/^(unknown_member|invalid_dpop_proof)$/);
    }
  });

  it("that are no HTTP leave the server standing", async () => {
    const { hostname, port } = new URL(origin);
    const sent = [
      "\u0000\u0000\r\n\r\n",
      "GET\r\n\r\n",
      "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n",
      `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    ];
    sent.push(
      "POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nzz\r\n",
    );
    sent.push(`TRACE /app/site HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    for (const bytes of sent) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port), hostname, () => socket.end(bytes));
        socket.on("error", () => resolve());
        socket.on("close", () => resolve());
        socket.resume();
      });
    }
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
  });
});

async function agentEvents(id: string): Promise<Response> {
  const answer = await (await agent.form("/token", { grant_type: "client_credentials" })).json();
  const { access_token } = answer as { access_token: string };
  const headers = {
    authorization: `DPoP ${access_token}`,
    dpop: await agent.dpop("GET", "/v1/events", access_token),
    "last-event-id": id || "empty",
  };
  return fetch(`${origin}/v1/events`, { headers });
}
