import {
  agentPairing,
  approverChain,
  type Bytes,
  backchannelResponse,
  cibaTokenResponse,
  contextReceipt,
  evidence,
  requestStatus,
  tokenResponse,
} from "@countersign/shared";
import type * as z from "zod/mini";
import { type Clock, toNumericDate } from "../clock.js";
import type { AgentKey } from "../home/agent-key.js";
import { type CallAnswer, nothing, toAnswer } from "./answer.js";
import { readEvents } from "./events.js";
import { readLogFile } from "./log.js";
import { clientAssertion, dpopProof } from "./proofs.js";
import type { HttpCall, Transport } from "./transport.js";

const callMs = 15_000;
/** The broker holds a poll for up to 25 s. */
const longPollMs = 40_000;
const uploadMs = 60_000;
const tokenMarginMs = 30_000;

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const cibaGrant = "urn:openid:params:grant-type:ciba";

interface ProtectedCall {
  method: HttpCall["method"];
  path: string;
  body?: { type: string; content: string | Bytes };
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

/** Every call that the agent makes, each once: whoever may repeat one does so by `retrying`. */
export type Broker = ReturnType<typeof createBroker>;

/** @param issuer origin of the broker, without a trailing slash */
export function createBroker(issuer: string, key: AgentKey, transport: Transport, clock: Clock) {
  const nowSeconds = () => toNumericDate(clock.now());
  let token: { accessToken: string; goodUntilMs: number } | undefined;

  async function form(
    path: string,
    members: Record<string, string>,
    more: {
      headers?: Record<string, string>;
      timeoutMs?: number;
      signal?: AbortSignal | undefined;
    },
  ) {
    const body = new URLSearchParams({
      ...members,
      client_assertion_type: assertionType,
      client_assertion: await clientAssertion(key, issuer, nowSeconds()),
    });
    return transport.send({
      method: "POST",
      url: issuer + path,
      headers: { "content-type": "application/x-www-form-urlencoded", ...more.headers },
      body: body.toString(),
      timeoutMs: more.timeoutMs ?? callMs,
      signal: more.signal,
    });
  }

  const proof = async (method: string, path: string, accessToken?: string) =>
    dpopProof(key, { method, url: issuer + path, accessToken }, nowSeconds());

  async function accessToken(signal?: AbortSignal): Promise<CallAnswer<string>> {
    if (token && clock.monotonic() < token.goodUntilMs)
      return { ok: true, value: token.accessToken };
    const headers = { dpop: await proof("POST", "/token") };
    const reply = await form("/token", { grant_type: "client_credentials" }, { headers, signal });
    const answer = toAnswer(reply, tokenResponse);
    if (!answer.ok) return answer;
    const { access_token, expires_in } = answer.value;
    token = {
      accessToken: access_token,
      goodUntilMs: clock.monotonic() + expires_in * 1000 - tokenMarginMs,
    };
    return { ok: true, value: access_token };
  }

  async function send(call: ProtectedCall, headers: Record<string, string>) {
    const [path = ""] = call.path.split("?");
    return transport.send({
      method: call.method,
      url: issuer + call.path,
      headers: {
        ...headers,
        dpop: await proof(call.method, path, headers["authorization"]?.slice("DPoP ".length)),
        ...(call.body ? { "content-type": call.body.type } : {}),
      },
      ...(call.body ? { body: call.body.content } : {}),
      timeoutMs: call.timeoutMs ?? callMs,
      signal: call.signal,
    });
  }

  /** With an access token (RFC 9449, section 7). One that the broker no longer takes is replaced once. */
  async function withToken<T>(
    call: ProtectedCall,
    schema: z.ZodMiniType<T>,
  ): Promise<CallAnswer<T>> {
    for (let attempt = 0; ; attempt++) {
      const granted = await accessToken(call.signal);
      if (!granted.ok) return granted;
      const reply = await send(call, { authorization: `DPoP ${granted.value}` });
      const answer = toAnswer(reply, schema);
      if (answer.ok || answer.code !== "invalid_token" || attempt > 0) return answer;
      token = undefined;
    }
  }

  /** By the agent's key alone: there is no token before there is a pairing (section 6). */
  const byKey = async (call: ProtectedCall) => toAnswer(await send(call, {}), agentPairing);

  const ofLog = (path: string, signal?: AbortSignal) =>
    readLogFile(transport, `${issuer}/log/${path}`, signal);

  const json = (content: unknown) => ({
    type: "application/json",
    content: JSON.stringify(content),
  });
  const ofRequest = (rid: string) => `/v1/requests/${rid}`;
  const ofPairing = (pairingId: string) => `/v1/pairings/${pairingId}`;

  return {
    serverTime: transport.serverTime,

    putContext: (sealed: Bytes, sealedSha256: string, signal?: AbortSignal) =>
      withToken(
        {
          method: "PUT",
          path: `/v1/contexts/${sealedSha256}`,
          body: { type: "application/octet-stream", content: sealed },
          timeoutMs: uploadMs,
          signal,
        },
        contextReceipt,
      ),

    authorize: async (request: string, signal?: AbortSignal) =>
      toAnswer(await form("/bc-authorize", { request }, { signal }), backchannelResponse),

    /** One long poll. @param idempotencyKey lets a redemption whose reply was lost be asked for again */
    redeem: async (
      rid: string,
      idempotencyKey: string,
      timeoutMs: number,
      signal?: AbortSignal,
    ) => {
      const headers = { dpop: await proof("POST", "/token"), "idempotency-key": idempotencyKey };
      const members = { grant_type: cibaGrant, auth_req_id: rid };
      const limits = { timeoutMs: Math.min(timeoutMs, longPollMs), signal };
      return toAnswer(await form("/token", members, { headers, ...limits }), cibaTokenResponse);
    },

    cancel: (rid: string) =>
      withToken({ method: "POST", path: `${ofRequest(rid)}/cancel`, body: json({}) }, nothing),

    evidence: (rid: string) =>
      withToken({ method: "GET", path: `${ofRequest(rid)}/evidence` }, evidence),

    report: (rid: string, outcome: string) =>
      withToken(
        { method: "POST", path: `${ofRequest(rid)}/outcome`, body: json({ outcome }) },
        requestStatus,
      ),

    /**
     * The stream of hints (`GET /v1/events`), until it ends.
     * @returns whether it was ever open
     */
    async events(
      onEvent: (name: string) => void,
      { onOpen, signal }: { onOpen: () => void; signal: AbortSignal },
    ): Promise<boolean> {
      const granted = await accessToken(signal);
      if (!granted.ok) return false;
      const path = "/v1/events";
      const response = await transport.open({
        url: issuer + path,
        headers: {
          accept: "text/event-stream",
          authorization: `DPoP ${granted.value}`,
          dpop: await proof("GET", path, granted.value),
        },
        timeoutMs: callMs,
        signal,
      });
      if (!response?.ok) {
        if (response?.status === 401) token = undefined;
        await response?.body?.cancel();
        return false;
      }
      onOpen();
      await readEvents(response, onEvent, signal);
      return true;
    },

    chain: (approver: string, signal?: AbortSignal) =>
      withToken({ method: "GET", path: `/v1/approvers/${approver}/chain`, signal }, approverChain),

    checkpoint: async (signal?: AbortSignal): Promise<CallAnswer<string>> => {
      const answer = await ofLog("checkpoint", signal);
      return answer.ok ? { ok: true, value: new TextDecoder().decode(answer.value) } : answer;
    },

    /** @param path `tile/<L>/<N>[.p/<W>]` */
    tile: (path: string, signal?: AbortSignal) => ofLog(path, signal),

    offerPairing: (offer: string, signal?: AbortSignal) =>
      byKey({ method: "POST", path: "/v1/pairings", body: json({ offer }), signal }),

    /** Answers when the pairing is in another state than `offered`, or after 25 s. */
    awaitPairing: (pairingId: string, signal?: AbortSignal) =>
      byKey({
        method: "GET",
        path: `${ofPairing(pairingId)}?after=offered`,
        timeoutMs: longPollMs,
        signal,
      }),

    revealNonce: (pairingId: string, nonce: string, signal?: AbortSignal) =>
      byKey({
        method: "POST",
        path: `${ofPairing(pairingId)}/reveal`,
        body: json({ nonce }),
        signal,
      }),

    confirmPairing: (pairingId: string) =>
      byKey({ method: "POST", path: `${ofPairing(pairingId)}/confirm`, body: json({}) }),

    endPairing: async (pairingId: string) =>
      toAnswer(await send({ method: "DELETE", path: ofPairing(pairingId) }, {}), nothing),
  };
}
