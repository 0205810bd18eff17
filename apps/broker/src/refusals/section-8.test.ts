import { randomId, randomNonce } from "@countersign/shared";
import type { SoftAgent } from "@countersign/test-kit/soft-agent";
import { createSoftAgent } from "@countersign/test-kit/soft-agent";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attackedWorld, type World } from "../testing/attack.js";
import { enrolledPhone } from "../testing/harness.js";

/*
 * The protocol's list of what must be refused (section 8), and where the broker's tests of it are. The agent's
 * and the phone's own halves stand in their packages.
 *
 *   one byte changed in AR, outcome                      requests
 *     ... in S, D                                        decisions
 *     ... in P                                           pairing
 *     ... in K0                                          enrolment
 *     ... in manifest, image, view                       sealed from the broker: agent and phone
 *   another agent's rid                                  isolation
 *   another user's credential                            decisions, isolation
 *   a credential or device only the broker vouches for   pairing (at pairing), isolation (later)
 *   one factor only                                      decisions, pairing, enrolment
 *   a request of the broker's own making                 the phone
 *   crossOrigin, topOrigin, UV, UP, backup eligibility   decisions, pairing, enrolment, ../adapters/webauthn
 *   the same assertion twice, two approvals at once      decisions
 *   approve after deny, cancel, expiry                   decisions
 *   a denial or expiry that only the broker asserts      isolation; told as what it is by the agent
 *   a stale broker nonce                                 decisions, pairing, enrolment
 *   signed for one purpose, offered for another          decisions, pairing, enrolment
 *   options that carry a challenge                       here
 *   a plain request                                      requests
 *   duplicates, non-canonical, aliased, inexact,
 *     __proto__, deep nesting                            encoding
 *   an alg or typ outside the list                       requests, pairing, tokens
 *   evidence for another key, of another request         isolation
 *   a second execution by replay                         requests (redemption); the agent's journal
 *   a pairing late, twice, by another phone              pairing; wrong digits: the agent
 *   guessing the action                                  isolation, requests
 *   any status change without a decision                 here, ../domain/lifecycle
 *
 * A leaf of something else, a checkpoint inconsistent with the remembered one: the agent's log test and the phone's;
 * joined, with the database in the attacker's hands, in e2e/log.test.ts.
 * Freeze, approve after freeze: ../freeze. Links of a chain after K0 (gap, fork, roll-back): ../keys; a key pinned
 * for another approver, a recipient that is not pinned: the agent's chain and verify tests.
 */

let world: World;
let agent: SoftAgent;
let rival: SoftAgent;
let ada: SoftPhone;
let eve: SoftPhone;
let stranger: SoftPhone;
let rid: string;

beforeAll(async () => {
  world = await attackedWorld();
  ({ agent, phone: ada } = world);
  const { origin } = world.broker.site;
  eve = await enrolledPhone(world.broker, "Eve", ada);
  rival = await createSoftAgent({ origin });
  await rival.pairWith(eve);
  stranger = await createSoftPhone({ origin });
  ({ rid } = await agent.request());
});
afterAll(() => world.close());

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** Every route that names the request, and those that somebody might hope for. */
const paths = (): string[] => [
  ...["", "/cancel", "/outcome", "/evidence", "/approve", "/decisions", "/state"].map(
    (step) => `/v1/requests/${rid}${step}`,
  ),
  ...["", "/context", "/ceremony", "/decisions", "/approve", "/deny", "/state"].map(
    (step) => `/app/requests/${rid}${step}`,
  ),
  ...[
    "/app/requests",
    "/app/requests?view=inbox",
    "/app/me",
    "/app/agents",
    "/app/site",
    "/app/session",
  ],
  ...[
    "/token",
    "/bc-authorize",
    `/v1/contexts/${randomNonce()}`,
    `/v1/approvers/${ada.approver()}/chain`,
  ],
  ...[
    "/healthz",
    "/readyz",
    "/jwks",
    "/metrics",
    "/admin",
    "/",
    "/.well-known/openid-configuration",
    "/log/checkpoint",
    "/log/tile/0/000.p/1",
    "/log/tile/entries/000.p/1",
  ],
];

const bodies = (): object[] => [
  {
    state: "approved",
    approvals: 1,
    decision: "approve",
    statement: "",
    device_signature: "",
    rid,
  },
  { grant_type: "urn:openid:params:grant-type:ciba", auth_req_id: rid, device_kid: ada.device.kid },
];

type Call = (method: string, path: string, body?: object) => Promise<Response>;

/** Who may call, and what they may rightly do to a request. */
const roles = (): [
  name: string,
  call: Call,
  mayChange: (method: string, path: string) => boolean,
][] => [
  ["nobody", (method, path, body) => stranger.call(method, path, body), () => false],
  ["another approver", (method, path, body) => eve.call(method, path, body), () => false],
  [
    "the approver",
    (method, path, body) => ada.call(method, path, body),
    (method, path) => method === "DELETE" && path === "/app/session",
  ],
  ["another agent", (method, path, body) => rival.call(method, path, body), () => false],
  [
    "the agent",
    (method, path, body) => agent.call(method, path, body),
    (method, path) => method === "POST" && path.endsWith("/cancel"),
  ],
];

const decisive = () => world.sql`
  select r.rid, r.state, r.approvals, r.outcomes, r.settled_at, r.redeemed_at,
    (select count(*) from decision d where d.rid = r.rid) as decisions
  from authorization_request r order by r.rid`;

describe("the state of a request", () => {
  it("is changed by nothing but a verified decision: not by any route, method or role", async () => {
    const before = await decisive();
    let tried = 0;
    for (const [, call, mayChange] of roles()) {
      for (const path of paths()) {
        for (const method of methods) {
          if (mayChange(method, path)) continue;
          const given = method === "GET" || method === "HEAD" ? [undefined] : bodies();
          for (const body of given) {
            await (await call(method, path, body)).arrayBuffer();
            tried++;
          }
        }
      }
    }
    expect(tried).toBeGreaterThan(1000);
    expect(await decisive()).toEqual(before);
    expect(before[0]).toMatchObject({ state: "pending", approvals: 0 });
  }, 60_000);

  it("is changed by no poll of anybody's", async () => {
    const before = await decisive();
    const short = new AbortController();
    setTimeout(() => short.abort(), 200);
    await agent.poll(rid, { signal: short.signal }).catch(() => undefined);
    await rival.poll(rid);
    expect(await decisive()).toEqual(before);
  });
});

/** Everything but what counts calls: proofs that were used, and when an agent was last seen. */
const everything = async (): Promise<string> => {
  const tables = [
    "approver",
    "authorization_request",
    "ceremony",
    "chain_link",
    "credential",
    "decision",
  ];
  tables.push(
    "device",
    "invitation",
    "leaf",
    "log_entry",
    "log_head",
    "nonce",
    "outcome",
    "pairing",
    "sealed_context",
    "session",
    "setting",
  );
  const rows = await Promise.all(
    tables.map(async (table) => {
      const found = await world.sql.pool.query(
        `select count(*)::int as rows, md5(string_agg(t::text, '|' order by t::text)) as content from ${table} t`,
      );
      return found.rows;
    }),
  );
  return JSON.stringify(rows);
};

describe("a GET", () => {
  it("changes nothing, whoever makes it", async () => {
    // What came before is put into the log within a second.
    const waiting = () => world.sql`select 1 from leaf where log_index is null`;
    await expect.poll(waiting).toHaveLength(0);
    const before = await everything();
    const others = [
      `/app/pairings/${randomNonce()}`,
      "/app/requests?view=history",
      `/v1/pairings/${randomNonce()}`,
    ];
    others.push("/app/nonces", "/app/invitations", "/app/approvers", `/v1/requests/${randomId()}`);
    for (const [, call] of roles()) {
      for (const path of [...paths(), ...others]) {
        for (const method of ["GET", "HEAD"]) await (await call(method, path)).arrayBuffer();
      }
    }
    expect(await everything()).toBe(before);
  });
});

describe("what the phone is told", () => {
  it("never carries a challenge: the phone makes every one itself", async () => {
    const seen: string[] = [];
    const phone = await createSoftPhone({
      origin: world.broker.site.origin,
      fetch: async (input, init) => {
        const answer = await fetch(input, init);
        const copy = answer.clone();
        if (copy.headers.get("content-type")?.includes("json"))
          seen.push(...members(await copy.json()));
        return answer;
      },
    });
    await phone.enrol(await ada.invite(), "Grace");
    const own = await createSoftAgent({ origin: world.broker.site.origin });
    await own.pairWith(phone);
    const request = await own.request();
    await phone.inbox();
    await phone.approve(request.rid);
    await phone.call("GET", `/app/requests/${request.rid}`);
    await phone.call("GET", "/app/requests?view=history");
    await phone.call("DELETE", "/app/session");
    await phone.signIn();
    await phone.me();
    await phone.pairedAgents();
    expect(seen.length).toBeGreaterThan(50);
    for (const name of ["challenge", "publicKey", "allowCredentials", "excludeCredentials"]) {
      expect(seen).not.toContain(name);
    }
  });
});

/** The names of all members, at any depth. */
function members(value: unknown): string[] {
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...members(inner)]);
}
