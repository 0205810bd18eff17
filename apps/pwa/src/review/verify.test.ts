import {
  type Action,
  authorizationDetailsType,
  type Bytes,
  concat,
  contextHash,
  createManifest,
  type EcPublicJwk,
  fromBase64url,
  publicJwk,
  type RequestObject,
  randomId,
  randomNonce,
  type Screenshot,
  sealContext,
  sealPicture,
  sha256Text,
  signRequestObject,
  thumbprint,
  utf8,
} from "@countersign/shared";
import { beforeAll, describe, expect, test } from "vitest";
import type { Device } from "../keys/device.js";
import type { PairedAgent } from "../keys/paired-agents.js";
import { type Known, type Received, type Refusal, verifyReview } from "./verify.js";

const site = {
  issuer: "https://sign.example",
  rp_id: "sign.example",
  origin: "https://sign.example",
};
const now = 1_790_000_000;
const approver = randomId();

/** A PNG of 4 x 2 pixels as far as its header goes, which is all that is read here. */
const png = concat(
  Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13),
  utf8("IHDR"),
  Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 2, 8, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  utf8("IDAT"),
);

interface AgentKey {
  jwk: EcPublicJwk;
  kid: string;
  privateKey: CryptoKey;
}

let agentKey: AgentKey;
let otherKey: AgentKey;
let device: Device;

beforeAll(async () => {
  agentKey = await createAgentKey();
  otherKey = await createAgentKey();
  device = await createDevice();
});

async function createAgentKey(): Promise<AgentKey> {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(
    { name: "ECDSA", namedCurve: "P-256" },
    true,
    ["sign", "verify"],
  );
  const jwk = await publicJwk(publicKey);
  return { jwk, kid: thumbprint(jwk), privateKey };
}

async function createDevice(): Promise<Device> {
  const sig = await createAgentKey();
  const enc = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, [
    "deriveBits",
  ]);
  const encJwk = await publicJwk(enc.publicKey);
  return {
    approver,
    kid: sig.kid,
    encKid: thumbprint(encJwk),
    signingKey: sig.privateKey,
    decryptionKey: enc.privateKey,
    publicKeys: { sig_jwk: sig.jwk, enc_jwk: encJwk },
  };
}

const action: Action = {
  v: 1,
  tool: "files.delete",
  args: { path: "/srv/reports" },
  preconditions: [],
  reversible: false,
};
const screenshot: Screenshot = {
  sha256: sha256Text(png),
  mime: "image/png",
  width: 4,
  height: 2,
};

/** What an attacker, or a broken agent, may have made different. */
interface Fault {
  key?: AgentKey;
  claims?: Partial<RequestObject>;
  detail?: Partial<RequestObject["authorization_details"][0]>;
  screenshot?: Screenshot | null;
  picture?: Bytes;
  manifestBytes?: Bytes;
  recipient?: EcPublicJwk;
  aad?: string;
}

async function createRequest(fault: Fault = {}): Promise<Received> {
  const rid = randomId();
  const key = fault.key ?? agentKey;
  const declared = fault.screenshot === undefined ? screenshot : fault.screenshot;
  const { bytes } = createManifest({
    action,
    reasons: ["deletes files"],
    capturedAt: now - 12,
    ...(declared ? { screenshot: declared } : {}),
  });
  const manifestBytes = fault.manifestBytes ?? bytes;
  const sealed = await sealContext(
    { manifestBytes, picture: fault.picture ?? png },
    [fault.recipient ?? device.publicKeys.enc_jwk],
    fault.aad ?? rid,
  );
  const request = await signRequestObject(
    {
      iss: key.kid,
      aud: site.issuer,
      iat: now - 10,
      nbf: now - 10,
      exp: now + 300,
      jti: rid,
      scope: "openid",
      login_hint: approver,
      authorization_details: [
        {
          type: authorizationDetailsType,
          tier: "red",
          ctx: contextHash(manifestBytes),
          sealed_sha256: sha256Text(sealed),
          renderer: "2",
          approvers: [approver],
          quorum: 1,
          ...fault.detail,
        },
      ],
      ...fault.claims,
    },
    key,
  );
  return { rid, detail: { request, req_nonce: randomNonce() }, sealed };
}

/** A request whose picture has a piece of its own, and what the server gives for that piece. */
async function createWithPiece(given: {
  sealed?: Bytes;
  inside?: Bytes;
  aad?: string;
  served?: (piece: Bytes) => Bytes | null;
}): Promise<Received> {
  const rid = randomId();
  const piece = await sealPicture(given.aad ?? rid, given.sealed ?? png, [
    device.publicKeys.enc_jwk,
  ]);
  const received = await createRequest({
    picture: given.inside ?? new Uint8Array(),
    claims: { jti: rid },
    aad: rid,
    detail: { sealed_picture_sha256: sha256Text(piece) },
  });
  const served = given.served ?? ((honest: Bytes) => honest);
  return { ...received, rid, fetchPicture: async () => served(piece) };
}

function knownWith(changes: Partial<Known> = {}): Known {
  const agent: PairedAgent = {
    approver,
    agent_jkt: agentKey.kid,
    jwk: agentKey.jwk,
    name: "demo",
    host: "desk",
    paired_at: now - 1000,
  };
  return {
    site,
    approver,
    device,
    nowSeconds: now,
    findAgent: async (jkt) => (jkt === agent.agent_jkt ? agent : undefined),
    ...changes,
  };
}

async function expectRefusal(
  received: Received,
  refusal: Refusal,
  known: Known = knownWith(),
): Promise<void> {
  expect(await verifyReview(received, known)).toMatchObject({ kind: "refused", refusal });
}

function flipFirstByte(bytes: Bytes): Bytes {
  const changed = bytes.slice();
  changed[0] = (changed[0] as number) ^ 1;
  return changed;
}

test("a request of a paired agent, whole and in time, can be approved and shows its own facts", async () => {
  const verdict = await verifyReview(await createRequest(), knownWith());
  expect(verdict).toMatchObject({ kind: "verified", picture: { width: 4, height: 2 } });
  if (verdict.kind !== "verified") return;
  expect(verdict.agent.name).toBe("demo");
  expect(verdict.view).toContainEqual(["args.path", "/srv/reports", "model", "text"]);
  expect(verdict.matchCode).toMatch(/^[0-9A-Z]{3}-[0-9A-Z]{3}$/);
});

test("the text is told before its picture is there, and alone makes nothing that can be approved", async () => {
  const received = await createWithPiece({});
  const told: unknown[] = [];
  let arrive = (): void => undefined;
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const { fetchPicture } = received;
  const late = {
    ...received,
    fetchPicture: (name: string) => arrived.then(() => fetchPicture?.(name) ?? null),
  };
  const verifying = verifyReview(late, knownWith(), (text) => told.push(text));
  await expect.poll(() => told).toHaveLength(1);
  expect(told[0]).toMatchObject({ kind: "readable", agent: { name: "demo" } });
  expect(told[0]).not.toHaveProperty("picture");
  arrive();
  expect(await verifying).toMatchObject({
    kind: "verified",
    picture: { width: 4, height: 2, bytes: png },
  });
});

test("a request that announces no picture can be approved without one", async () => {
  const received = await createRequest({ screenshot: null, picture: new Uint8Array(0) });
  expect(await verifyReview(received, knownWith())).toMatchObject({
    kind: "verified",
    picture: null,
  });
});

describe("only Deny is offered for", () => {
  test("any request on a device without keys", async () => {
    await expectRefusal(await createRequest(), "device_not_enrolled", knownWith({ device: null }));
  });

  test("text that is no request object", async () => {
    const received = await createRequest();
    const detail = { ...received.detail, request: "a.b.c" };
    await expectRefusal({ ...received, detail }, "request_unreadable");
  });

  test("a request under another type of JWS", async () => {
    const received = await createRequest();
    const [, payload, signature] = received.detail.request.split(".");
    const header = btoa(JSON.stringify({ alg: "ES256", typ: "dpop+jwt" })).replaceAll("=", "");
    const detail = { ...received.detail, request: `${header}.${payload}.${signature}` };
    await expectRefusal({ ...received, detail }, "request_unreadable");
  });

  test("an agent that this phone did not pair with", async () => {
    await expectRefusal(await createRequest({ key: otherKey }), "agent_not_paired");
  });

  test("a request in a paired agent's name that another key signed", async () => {
    const forged = await createRequest({ key: otherKey, claims: { iss: agentKey.kid } });
    await expectRefusal(forged, "request_forged");
  });

  test("a request whose payload was changed after it was signed", async () => {
    const received = await createRequest();
    const [header, payload = "", signature] = received.detail.request.split(".");
    const text = new TextDecoder().decode(fromBase64url(payload)).replace('"red"', '"green"');
    const changed = btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const detail = { ...received.detail, request: `${header}.${changed}.${signature}` };
    await expectRefusal({ ...received, detail }, "request_forged");
  });

  test("a request made for another server", async () => {
    const received = await createRequest({ claims: { aud: "https://other.example" } });
    await expectRefusal(received, "request_for_another_server");
  });

  test("a request in the second of its expiry", async () => {
    const received = await createRequest({ claims: { exp: now } });
    await expectRefusal(received, "request_expired");
  });

  test("a request to other approvers", async () => {
    const stranger = randomId();
    const received = await createRequest({
      claims: { login_hint: stranger },
      detail: { approvers: [stranger] },
    });
    await expectRefusal(received, "approver_not_named");
  });

  test("another request of the same agent under the opened request's id", async () => {
    await expectRefusal({ ...(await createRequest()), rid: randomId() }, "request_of_another_id");
  });

  test("a request whose context is missing", async () => {
    await expectRefusal({ ...(await createRequest()), sealed: null }, "context_missing");
  });

  test("a context with one byte changed", async () => {
    const received = await createRequest();
    const sealed = received.sealed && flipFirstByte(received.sealed);
    await expectRefusal({ ...received, sealed }, "context_altered");
  });

  test("a context sealed for another device", async () => {
    const other = await createDevice();
    const received = await createRequest({ recipient: other.publicKeys.enc_jwk });
    await expectRefusal(received, "context_not_sealed_for_device");
  });

  test("a context sealed for another request", async () => {
    await expectRefusal(await createRequest({ aad: randomId() }), "context_of_another_request");
  });

  test("an action other than the one that ctx names", async () => {
    const received = await createRequest({ detail: { ctx: randomNonce() } });
    await expectRefusal(received, "action_altered");
  });

  test("an action that is not canonical JSON", async () => {
    const received = await createRequest({ manifestBytes: utf8('{ "v": 1 }') });
    await expectRefusal(received, "action_unreadable");
  });

  test("an announced picture that is missing", async () => {
    const received = await createRequest({ picture: new Uint8Array(0) });
    await expectRefusal(received, "picture_missing");
  });

  test("a picture with one byte changed", async () => {
    await expectRefusal(await createRequest({ picture: flipFirstByte(png) }), "picture_altered");
  });

  test.each([
    ["type", { mime: "image/jpeg" as const }],
    ["width", { width: 5 }],
    ["height", { height: 3 }],
  ])("a picture of another %s than announced", async (_what, changed) => {
    const received = await createRequest({ screenshot: { ...screenshot, ...changed } });
    await expectRefusal(received, "picture_not_as_declared");
  });

  test("a picture's own piece that is missing, another one, of another request, or not what was announced", async () => {
    const another = await sealPicture(randomId(), png, [device.publicKeys.enc_jwk]);
    await expectRefusal(await createWithPiece({ served: () => null }), "picture_missing");
    await expectRefusal(await createWithPiece({ served: () => another }), "picture_altered");
    await expectRefusal(await createWithPiece({ served: flipFirstByte }), "picture_altered");
    await expectRefusal(await createWithPiece({ aad: randomId() }), "picture_altered");
    await expectRefusal(await createWithPiece({ sealed: flipFirstByte(png) }), "picture_altered");
    await expectRefusal(await createWithPiece({ sealed: new Uint8Array() }), "picture_missing");
  });

  test("a picture in both places", async () => {
    await expectRefusal(await createWithPiece({ inside: png }), "picture_not_as_declared");
  });

  test("a picture that nobody announced", async () => {
    await expectRefusal(await createRequest({ screenshot: null }), "picture_not_as_declared");
  });

  test("an action of more rows than this app could show", async () => {
    const large = { ...action, args: { ["n".repeat(1_000_000)]: Array(100_000).fill(0) } };
    const { bytes } = createManifest({ action: large, reasons: [], capturedAt: now, screenshot });
    await expectRefusal(await createRequest({ manifestBytes: bytes }), "view_too_large");
  });

  test("a renderer that this app does not have", async () => {
    await expectRefusal(await createRequest({ detail: { renderer: "999" } }), "renderer_unknown");
  });
});

test("of several failures the first in the protocol's order is named", async () => {
  const received = await createRequest({
    claims: { aud: "https://other.example", exp: now },
    detail: { renderer: "999" },
  });
  await expectRefusal({ ...received, sealed: null }, "request_for_another_server");
});
