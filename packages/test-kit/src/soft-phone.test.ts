import {
  type Approval,
  compareDigits,
  contextHash,
  createManifest,
  fromBase64url,
  hash,
  type Manifest,
  nonceCommitment,
  pairingAcceptance,
  pairingId,
  pairingLink,
  parse,
  parseStatement,
  publicJwk,
  type RequestDetail,
  type RequestObject,
  randomBytes,
  randomId,
  randomNonce,
  readRequestObject,
  sealContext,
  sha256Text,
  signPairingOffer,
  signRequestObject,
  thumbprint,
  toBase64url,
  utf8,
  verifyApproval,
  verifyDenial,
  verifyPairingMac,
  verifyPairingStatement,
} from "@countersign/shared";
import { beforeEach, expect, test } from "vitest";
import { createSoftLog } from "./soft-log.js";
import { createSoftPhone, type SoftPhone } from "./soft-phone.js";

const origin = "http://localhost:9";
const site = { issuer: origin, rp_id: "localhost", origin };

const log = createSoftLog("localhost/log");
/** Answers by `METHOD path`; what the phone sent is kept, newest last. */
const answers = new Map<string, unknown>();
let sent: { route: string; headers: Headers; value: unknown }[] = [];
let phone: SoftPhone;
let agent: { jwk: Awaited<ReturnType<typeof publicJwk>>; kid: string; privateKey: CryptoKey };

const scripted: typeof fetch = async (input, init) => {
  const { pathname, search } = new URL(String(input));
  const route = `${init?.method} ${pathname}${search}`;
  const value = typeof init?.body === "string" ? JSON.parse(init.body) : undefined;
  sent.push({ route, headers: new Headers(init?.headers), value });
  const answer = answers.get(route) ?? {
    type: "about:blank",
    title: "",
    status: 404,
    code: "not_found",
  };
  if (answer instanceof Uint8Array) return new Response(answer as BodyInit);
  const headers = { "set-cookie": "__Host-session=abc; Path=/; Secure; HttpOnly" };
  return Response.json(answer, { status: answers.has(route) ? 200 : 404, headers });
};
const showLog = () => answers.set("GET /log/checkpoint", utf8(log.checkpoint()));
const last = (route: string) => sent.findLast((call) => call.route === route)?.value;

beforeEach(async () => {
  sent = [];
  answers.clear();
  log.entries.length = 0;
  showLog();
  answers.set("GET /app/site", { ...site, log_key: log.vkey });
  answers.set("POST /app/invitations/check", {});
  answers.set("POST /app/approvers", {});
  answers.set("POST /app/nonces", { broker_nonce: randomNonce(), expires_at: 1 });
  phone = await createSoftPhone({ origin, fetch: scripted });
  await phone.enrol(`${origin}/enrol#invited`, "Ada");
  const { root } = last("POST /app/approvers") as { root: unknown };
  answers.set("GET /app/keys", { chain: [root] });
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, [
    "sign",
    "verify",
  ]);
  const jwk = await publicJwk(pair.publicKey);
  agent = { jwk, kid: thumbprint(jwk), privateKey: pair.privateKey };
  phone.agents.set(agent.kid, jwk);
});

const keys = () => ({
  approver: phone.approver(),
  credentials: [phone.authenticator.credential],
  devices: [phone.device.keys.sig_jwk],
});

interface Change {
  claims?: (honest: RequestObject) => RequestObject;
  detail?: (honest: RequestDetail) => RequestDetail;
  octets?: (honest: Uint8Array) => Uint8Array;
  manifest?: Uint8Array;
  picture?: Uint8Array<ArrayBuffer>;
  screenshot?: Manifest["screenshot"];
  aad?: string;
}

/** Offers a request that is honest but for the change. */
async function ask(change: Change = {}): Promise<string> {
  const made = createManifest({
    action: { v: 1, tool: "t", args: {}, preconditions: [], reversible: true },
    reasons: [],
    capturedAt: 1,
    screenshot: change.screenshot,
  });
  const rid = randomId();
  const context = { manifestBytes: made.bytes, picture: change.picture ?? new Uint8Array() };
  const octets = await sealContext(context, [phone.device.keys.enc_jwk], change.aad ?? rid);
  const now = Math.floor(Date.now() / 1000);
  const honest: RequestObject = {
    iss: agent.kid,
    aud: origin,
    iat: now,
    nbf: now,
    exp: now + 300,
    jti: rid,
    scope: "openid",
    login_hint: phone.approver(),
    authorization_details: [
      {
        type: "urn:countersign:action:v1",
        tier: "red",
        ctx: contextHash(change.manifest ?? made.bytes),
        sealed_sha256: sha256Text(octets),
        renderer: "2",
        approvers: [phone.approver()],
        quorum: 1,
      },
    ],
  };
  const detail: RequestDetail = {
    rid,
    state: "pending",
    client_id: agent.kid,
    agent_name: "Desk",
    agent_host: "h",
    tier: "red",
    created_at: now,
    expires_at: now + 300,
    approvals: 0,
    quorum: 1,
    request: await signRequestObject(change.claims?.(honest) ?? honest, agent),
    req_nonce: randomNonce(),
    decisions: [],
    outcomes: [],
  };
  answers.set(`GET /app/requests/${rid}`, change.detail?.(detail) ?? detail);
  answers.set(`GET /app/requests/${rid}/context`, change.octets?.(octets) ?? octets);
  answers.set(`POST /app/requests/${rid}/ceremony`, {
    cid: randomId(),
    broker_nonce: randomNonce(),
    expires_at: now + 300,
    credential_ids: [phone.authenticator.credential.id],
  });
  answers.set(`POST /app/requests/${rid}/decisions`, { rid, state: "approved" });
  return rid;
}

test("its yes and its no are verified by those who hold its keys", async () => {
  const rid = await ask();
  const { context, matchCode } = await phone.review(rid);
  expect(matchCode).toMatch(/^[0-9A-Z]{3}-[0-9A-Z]{3}$/);
  expect(await phone.approve(rid)).toBe("approved");
  await verifyApproval(last(`POST /app/requests/${rid}/decisions`) as Approval, context, keys());
  const expected = { issuer: origin, rid, agentJkt: agent.kid, approvers: [phone.approver()] };
  const denial = await verifyDenial(await phone.signDenial(rid, "no"), expected, keys());
  expect(denial.reason).toBe("no");
});

test("a tampered statement is signed as it stands, and refused by those who compare", async () => {
  const rid = await ask();
  const { context } = await phone.review(rid);
  const forged = await phone.signApproval(rid, {
    statement: (honest) => ({ ...honest, exec_by: honest.exec_by + 1 }),
  });
  await expect(verifyApproval(forged, context, keys())).rejects.toMatchObject({
    reason: "exec_by",
  });
});

/** One pixel, as far as its header goes. */
const png = Uint8Array.from(
  Buffer.from(
    "89504e470d0a1a0a0000000d494844520000000100000001080600000000000000000000004944415400000000",
    "hex",
  ),
);
const shot = { sha256: sha256Text(png), mime: "image/png", width: 1, height: 1 } as const;

test.each<[string, () => Change, object]>([
  [
    "of another audience",
    () => ({ claims: (ar) => ({ ...ar, aud: "https://x" }) }),
    { reason: "aud" },
  ],
  [
    "that has run out",
    () => ({
      claims: (ar) => ({ ...ar, iat: ar.iat - 400, nbf: ar.nbf - 400, exp: ar.exp - 400 }),
    }),
    { code: "expired" },
  ],
  ["for another approver", () => ({ claims: (ar) => forAnother(ar) }), { reason: "approvers" }],
  [
    "under another's id",
    () => ({ claims: (ar) => ({ ...ar, jti: randomId() }) }),
    { reason: "rid" },
  ],
  [
    "with another context",
    () => ({ octets: (octets) => Uint8Array.of(...octets, 32) }),
    { reason: "sealed_sha256" },
  ],
  [
    "with a context sealed for another request",
    () => ({ aad: randomId() }),
    { code: "invalid_binding" },
  ],
  ["with another manifest", () => ({ manifest: utf8("{}") }), { reason: "ctx" }],
  ["with a picture that is not announced", () => ({ picture: png }), { reason: "screenshot" }],
  ["without the picture that is announced", () => ({ screenshot: shot }), { reason: "screenshot" }],
  [
    "with a picture of another type",
    () => ({ picture: png, screenshot: { ...shot, mime: "image/webp" } }),
    { reason: "screenshot" },
  ],
  [
    "for a renderer that is not known",
    () => ({ claims: (ar) => withRenderer(ar, "1") }),
    { code: "renderer_unsupported" },
  ],
])("it approves no request %s", async (_name, change, refusal) => {
  const rid = await ask(change());
  await expect(phone.approve(rid)).rejects.toMatchObject(refusal);
  expect(last(`POST /app/requests/${rid}/decisions`)).toBeUndefined();
  expect(await phone.deny(rid)).toBe("approved");
});

function forAnother(claims: RequestObject): RequestObject {
  const other = randomId();
  const [detail] = claims.authorization_details;
  return {
    ...claims,
    login_hint: other,
    authorization_details: [{ ...detail, approvers: [other] }],
  };
}

function withRenderer(claims: RequestObject, renderer: string): RequestObject {
  const [detail] = claims.authorization_details;
  return { ...claims, authorization_details: [{ ...detail, renderer }] };
}

test("it approves no request of the broker's own making", async () => {
  const rid = await ask();
  phone.agents.clear();
  await expect(phone.approve(rid)).rejects.toMatchObject({ code: "invalid_client" });
});

test("it approves a request with the picture that is announced", async () => {
  const rid = await ask({ picture: png, screenshot: shot });
  expect((await phone.review(rid)).picture).toEqual(png);
});

test("it accepts a pairing that the agent can verify, and shows its digits once the nonce is the one committed to", async () => {
  const [secret, nonce] = [randomBytes(32), randomBytes(32)];
  const id = pairingId(secret);
  const offer = {
    pairing_id: id,
    agent_jwk: agent.jwk,
    name: "Desk",
    host: "h",
    commit: nonceCommitment(nonce),
    iss: agent.kid,
    aud: origin,
    iat: 1,
    exp: 601,
  };
  const offered = {
    pairing_id: id,
    state: "offered",
    expires_at: 601,
    offer: await signPairingOffer(offer, agent),
  };
  answers.set(`GET /app/pairings/${id}`, offered);
  answers.set(`POST /app/pairings/${id}/acceptance`, offered);
  phone.agents.clear();
  const { digits } = await phone.acceptPairing(pairingLink(origin, secret, agent.kid));
  const acceptance = parse(pairingAcceptance, last(`POST /app/pairings/${id}/acceptance`));
  verifyPairingMac(acceptance, secret);
  const statement = await verifyPairingStatement(acceptance, { site, offer });
  expect(statement.approver).toBe(phone.approver());
  expect(phone.agents.get(agent.kid)).toEqual(agent.jwk);

  const revealed = (value: Uint8Array) => ({
    ...offered,
    state: "revealed",
    nonce: toBase64url(value),
  });
  answers.set(`GET /app/pairings/${id}?after=accepted`, revealed(randomBytes(32)));
  await expect(digits()).rejects.toMatchObject({ code: "pairing_invalid" });
  answers.set(`GET /app/pairings/${id}?after=accepted`, revealed(nonce));
  expect(await digits()).toBe(compareDigits(fromBase64url(acceptance.statement), nonce));
});

test("it keeps the session and sends a browser's headers; secrets of links never leave it", async () => {
  await phone.signIn().catch(() => undefined);
  const { headers } = sent.at(-1) as (typeof sent)[number];
  expect(headers.get("cookie")).toBe("__Host-session=abc");
  expect(headers.get("origin")).toBe(origin);
  expect(headers.get("sec-fetch-site")).toBe("same-origin");
  expect(last("POST /app/invitations/check")).toEqual({ invitation: "invited" });
});

test("it signs under the log as it is, and nothing under one that contradicts what it saw", async () => {
  const grow = () => log.append({ kind: "open", digest: randomNonce() });
  const tile = (size: number) => {
    answers.set(`GET /log/tile/0/000.p/${size}`, log.tile(`tile/0/000.p/${size}`));
    showLog();
  };
  for (let size = 1; size <= 3; size++) grow();
  showLog();
  const seen = await phone.checkpoint();
  expect(seen.size).toBe(3);
  grow();
  tile(4);
  const { statement } = await phone.signApproval(await ask());
  const { checkpoint } = parseStatement(fromBase64url(statement));
  expect(checkpoint).toMatchObject({ size: 4 });

  const [first, ...rest] = log.entries as [Uint8Array<ArrayBuffer>];
  log.entries.splice(0, 4, ...rest, first);
  grow();
  tile(5);
  const asked = await ask();
  await expect(phone.signApproval(asked)).rejects.toMatchObject({ code: "log_fork" });
  log.entries.length = 2;
  showLog();
  await expect(phone.signApproval(asked)).rejects.toMatchObject({ code: "log_rolled_back" });
});

test("it signs nothing for a site that it is not on", async () => {
  answers.set("GET /app/site", { ...site, log_key: log.vkey, rp_id: "evil.example" });
  const other = await createSoftPhone({ origin, fetch: scripted });
  await expect(other.signIn()).rejects.toMatchObject({ code: "invalid_binding" });
});

test("what it is told of a request hashes to what the request says of itself", async () => {
  const rid = await ask();
  const { request } = await phone.review(rid);
  const jws = (answers.get(`GET /app/requests/${rid}`) as RequestDetail).request;
  expect(readRequestObject(jws).arHash).toBe(request.arHash);
  expect(hash("request", fromBase64url(jws.split(".")[1] ?? ""))).toBe(request.arHash);
});
