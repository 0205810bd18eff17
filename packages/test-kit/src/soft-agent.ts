import {
  type Action,
  agentPairing,
  authorizationDetailsType,
  backchannelResponse,
  canonicalBytes,
  contextHash,
  createManifest,
  type DeviceKeys,
  type ErrorCode,
  fromBase64url,
  hash,
  type Manifest,
  matchCode,
  nonceCommitment,
  type Outcome,
  ProtocolError,
  pairingId,
  pairingLink,
  parse,
  parsePairingStatement,
  publicJwk,
  type RequestObject,
  randomBytes,
  randomId,
  requestStatus,
  sealContext,
  sealPicture,
  sha256Text,
  signOutcome,
  signPairingOffer,
  signRequestObject,
  thumbprint,
  toBase64url,
  tokenResponse,
  utf8,
} from "@countersign/shared";
import { SignJWT } from "jose";
import type { SoftPhone } from "./soft-phone.js";

export const clientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
export const cibaGrantType = "urn:openid:params:grant-type:ciba";

/** With a token that is about to run out nothing is begun. */
const tokenMarginSeconds = 30;

export interface SoftRequest {
  rid: string;
  jws: string;
  claims: RequestObject;
  manifest: Manifest;
  manifestBytes: Uint8Array;
  sealed: Uint8Array<ArrayBuffer>;
  sealedSha256: string;
  sealedPicture: Uint8Array<ArrayBuffer> | undefined;
}

export interface PollAnswer {
  status: number;
  body: Record<string, unknown>;
}

export type SoftAgent = Awaited<ReturnType<typeof createSoftAgent>>;

/**
 * An agent that speaks the raw wire and checks nothing: for tests of a broker, and for hostile agents.
 * The product's agent is the SDK.
 */
export async function createSoftAgent(options: {
  origin: string;
  name?: string;
  /** Instead of the global one. */
  fetch?: typeof fetch;
}) {
  const { origin, fetch: send = fetch } = options;
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const jwk = await publicJwk(keys.publicKey);
  const clientId = thumbprint(jwk);
  const key = { kid: clientId, privateKey: keys.privateKey };
  const devices = new Map<string, DeviceKeys>();
  let token: { bearer: string; goodUntil: number } | undefined;

  const jwt = (claims: Record<string, unknown>, header: Record<string, unknown>) =>
    new SignJWT({ jti: randomId(), iat: Math.floor(Date.now() / 1000), ...claims })
      .setProtectedHeader({ alg: "ES256", ...header })
      .sign(keys.privateKey);

  const dpop = (method: string, path: string, accessToken?: string): Promise<string> =>
    jwt(
      {
        htm: method,
        htu: `${origin}${path.replace(/\?.*$/, "")}`,
        ...(accessToken === undefined ? {} : { ath: sha256Text(utf8(accessToken)) }),
      },
      { typ: "dpop+jwt", jwk },
    );

  const clientAssertion = (): Promise<string> =>
    jwt(
      { iss: clientId, sub: clientId, aud: origin, exp: Math.floor(Date.now() / 1000) + 60 },
      { kid: clientId },
    );

  /** A form to an OAuth endpoint, authenticated as this agent. */
  async function form(
    path: string,
    parameters: Record<string, string>,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    return send(`${origin}${path}`, {
      method: "POST",
      headers: { dpop: await dpop("POST", path), ...headers },
      body: new URLSearchParams({
        client_assertion_type: clientAssertionType,
        client_assertion: await clientAssertion(),
        ...parameters,
      }),
      signal: signal ?? null,
    });
  }

  async function accessToken(): Promise<string> {
    if (token && token.goodUntil > performance.now()) return token.bearer;
    const response = await form("/token", { grant_type: "client_credentials" });
    const answer: unknown = await response.json();
    if (!response.ok) throw new ProtocolError((answer as { code: ErrorCode }).code);
    const { access_token: bearer, expires_in } = parse(tokenResponse, answer);
    token = { bearer, goodUntil: performance.now() + (expires_in - tokenMarginSeconds) * 1000 };
    return bearer;
  }

  /** A call under `/v1` with a DPoP-bound token, or with the bare proof where the path is a pairing's. */
  async function call(method: string, path: string, body?: unknown): Promise<Response> {
    const isPairing = path.startsWith("/v1/pairings");
    const bearer = isPairing ? undefined : await accessToken();
    const isOctets = body instanceof Uint8Array;
    return send(`${origin}${path}`, {
      method,
      headers: {
        dpop: await dpop(method, path, bearer),
        ...(bearer === undefined ? {} : { authorization: `DPoP ${bearer}` }),
        ...(body === undefined || isOctets ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? null : isOctets ? (body as BodyInit) : JSON.stringify(body),
    });
  }

  /** Section 6 from the agent's side, with an honest phone; the digits are not typed but trusted. */
  async function pairWith(phone: Pick<SoftPhone, "acceptPairing">): Promise<string> {
    const secret = randomBytes(32);
    const nonce = randomBytes(32);
    const id = pairingId(secret);
    const now = Math.floor(Date.now() / 1000);
    const offer = await signPairingOffer(
      {
        pairing_id: id,
        agent_jwk: jwk,
        name: options.name ?? "soft agent",
        host: "test-host",
        commit: nonceCommitment(nonce),
        iss: clientId,
        aud: origin,
        iat: now,
        exp: now + 600,
      },
      key,
    );
    await accepted(await call("POST", "/v1/pairings", { offer }));
    const { digits } = await phone.acceptPairing(pairingLink(origin, secret, clientId));
    const path = `/v1/pairings/${id}`;
    const { acceptance } = parse(
      agentPairing,
      await (await call("GET", `${path}?after=offered`)).json(),
    );
    await accepted(await call("POST", `${path}/reveal`, { nonce: toBase64url(nonce) }));
    await digits();
    await accepted(await call("POST", `${path}/confirm`, {}));
    const statement = parsePairingStatement(fromBase64url(acceptance?.statement ?? ""));
    devices.set(statement.approver, statement.device);
    return id;
  }

  /** Manifest, ciphertext and AR for an action, nothing sent yet. */
  async function prepare(
    given: Partial<Action> & {
      approvers?: string[];
      quorum?: number;
      seconds?: number;
      picture?: Uint8Array<ArrayBuffer>;
      screenshot?: Manifest["screenshot"];
      reasons?: string[];
      agentClaim?: string;
      capturedAt?: number;
      claims?: Partial<RequestObject>;
    } = {},
  ): Promise<SoftRequest> {
    const {
      approvers: named,
      quorum = 1,
      seconds = 120,
      picture,
      screenshot,
      reasons = ["deletes files"],
      agentClaim,
      capturedAt,
      claims,
      ...action
    } = given;
    const approvers = named ?? [...devices.keys()];
    const now = Math.floor(Date.now() / 1000);
    const rid = randomId();
    const { manifest, bytes: manifestBytes } = createManifest({
      action: {
        v: 1,
        tool: "file.delete",
        args: { path: "/tmp/demo" },
        preconditions: [],
        reversible: false,
        ...action,
      },
      reasons,
      agentClaim,
      capturedAt: capturedAt ?? now,
      screenshot,
    });
    const recipients = approvers.flatMap((approver) => devices.get(approver)?.enc_jwk ?? []);
    const nothing = new Uint8Array();
    const sealed = await sealContext({ manifestBytes, picture: nothing }, recipients, rid);
    const sealedSha256 = sha256Text(sealed);
    const sealedPicture = picture && (await sealPicture(rid, picture, recipients));
    const object: RequestObject = {
      iss: clientId,
      aud: origin,
      iat: now,
      nbf: now,
      exp: now + seconds,
      jti: rid,
      scope: "openid",
      login_hint: approvers[0] ?? "",
      authorization_details: [
        {
          type: authorizationDetailsType,
          tier: "red",
          ctx: contextHash(manifestBytes),
          sealed_sha256: sealedSha256,
          ...(sealedPicture ? { sealed_picture_sha256: sha256Text(sealedPicture) } : {}),
          renderer: "2",
          approvers,
          quorum,
        },
      ],
      ...claims,
    };
    const jws = await signRequestObject(object, key);
    return {
      rid,
      jws,
      claims: object,
      manifest,
      manifestBytes,
      sealed,
      sealedSha256,
      sealedPicture,
    };
  }

  async function upload({ sealed, sealedPicture }: SoftRequest): Promise<Response> {
    const put = (piece: Uint8Array) => call("PUT", `/v1/contexts/${sha256Text(piece)}`, piece);
    if (sealedPicture) await accepted(await put(sealedPicture));
    return put(sealed);
  }
  const authorize = (request: SoftRequest): Promise<Response> =>
    form("/bc-authorize", { request: request.jws });

  /** Prepares, uploads and asks. @returns the request and its match code */
  async function request(
    given: Parameters<typeof prepare>[0] = {},
  ): Promise<SoftRequest & { matchCode: string; reqNonce: string }> {
    const prepared = await prepare(given);
    await accepted(await upload(prepared));
    const response = await accepted(await authorize(prepared));
    const { req_nonce: reqNonce } = parse(backchannelResponse, await response.json());
    const code = matchCode({
      arHash: arHashOf(prepared),
      reqNonce,
      matchSalt: prepared.manifest.match_salt,
    });
    return { ...prepared, matchCode: code, reqNonce };
  }

  /** One long poll. */
  async function poll(
    rid: string,
    given: { idempotencyKey?: string; signal?: AbortSignal } = {},
  ): Promise<PollAnswer> {
    const { idempotencyKey, signal } = given;
    const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
    const parameters = { grant_type: cibaGrantType, auth_req_id: rid };
    const response = await form("/token", parameters, headers, signal);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  async function status(rid: string) {
    return parse(
      requestStatus,
      await (await accepted(await call("GET", `/v1/requests/${rid}`))).json(),
    );
  }

  /** A signed outcome of a request of this agent's, not sent. */
  async function outcomeOf(given: SoftRequest, claims: Partial<Outcome> = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return signOutcome(
      {
        rid: given.rid,
        ar_hash: arHashOf(given),
        ctx: contextHash(given.manifestBytes),
        n: 1,
        status: "succeeded",
        started_at: now,
        ended_at: now,
        ...claims,
      },
      key,
    );
  }

  return {
    clientId,
    jwk,
    key,
    devices,
    dpop,
    clientAssertion,
    form,
    call,
    pairWith,
    prepare,
    upload,
    authorize,
    request,
    poll,
    status,
    outcomeOf,
  };
}

const arHashOf = ({ claims }: SoftRequest): string => hash("request", canonicalBytes(claims));

async function accepted(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw new Error(`${response.status} ${await response.text()}`);
}
