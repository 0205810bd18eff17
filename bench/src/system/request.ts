import {
  type AuthorizationRequest,
  type Ceremony,
  type Decision,
  hashBytes,
  readRequestObject,
  render,
  statementBytes,
  toBase64url,
  viewHash,
} from "@countersign/shared";
import { cibaGrantType, clientAssertionType } from "@countersign/test-kit/soft-agent";
import { accepted, type HttpClient } from "../load/http.js";
import type { Pair } from "./pairs.js";

const formType = { "content-type": "application/x-www-form-urlencoded" };
const jsonType = { "content-type": "application/json" };

/** One request with whatever of it needs no answer made ahead: ciphertext, AR, proofs, outcome. */
export interface PreparedRequest {
  pair: Pair;
  rid: string;
  request: AuthorizationRequest;
  jws: string;
  manifestBytes: Uint8Array<ArrayBuffer>;
  viewHash: string;
  sealed: Uint8Array<ArrayBuffer>;
  upload: { path: string; headers: Record<string, string> };
  authorize: string;
  poll: { headers: Record<string, string>; body: string };
  report: { path: string; headers: Record<string, string>; body: string };
}

/** A client token lives for five minutes, as long as any benchmark's row. */
export async function clientToken(pair: Pair, http: HttpClient): Promise<string> {
  const { agent } = pair;
  const answer = await http.call(
    "POST",
    "/token",
    { ...formType, dpop: await agent.dpop("POST", "/token") },
    await form(pair, { grant_type: "client_credentials" }),
  );
  return JSON.parse(accepted("token", answer).toString("utf8")).access_token as string;
}

export async function prepareRequest(
  pair: Pair,
  token: string,
  given: Parameters<Pair["agent"]["prepare"]>[0] = {},
): Promise<PreparedRequest> {
  const { agent } = pair;
  const prepared = await agent.prepare({ seconds: 590, ...given });
  const request = readRequestObject(prepared.jws);
  const uploadPath = `/v1/contexts/${prepared.sealedSha256}`;
  const reportPath = `/v1/requests/${prepared.rid}/outcome`;
  const bound = async (method: string, path: string) => ({
    authorization: `DPoP ${token}`,
    dpop: await agent.dpop(method, path, token),
  });
  return {
    pair,
    rid: prepared.rid,
    request,
    jws: prepared.jws,
    manifestBytes: prepared.manifestBytes as Uint8Array<ArrayBuffer>,
    viewHash: viewHash(render(prepared.manifest, request), prepared.manifest.salt),
    sealed: prepared.sealed,
    upload: { path: uploadPath, headers: await bound("PUT", uploadPath) },
    authorize: await form(pair, { request: prepared.jws }),
    poll: {
      headers: {
        ...formType,
        dpop: await agent.dpop("POST", "/token"),
        "idempotency-key": crypto.randomUUID(),
      },
      body: await form(pair, { grant_type: cibaGrantType, auth_req_id: prepared.rid }),
    },
    report: {
      path: reportPath,
      headers: { ...jsonType, ...(await bound("POST", reportPath)) },
      body: JSON.stringify({ outcome: await agent.outcomeOf(prepared) }),
    },
  };
}

async function form(pair: Pair, parameters: Record<string, string>): Promise<string> {
  return new URLSearchParams({
    client_assertion_type: clientAssertionType,
    client_assertion: await pair.agent.clientAssertion(),
    ...parameters,
  }).toString();
}

const json = (body: Buffer) => JSON.parse(body.toString("utf8"));

/** The agent's first part: upload and ask. @returns the broker's `req_nonce` */
export async function ask(http: HttpClient, given: PreparedRequest): Promise<string> {
  const { path, headers } = given.upload;
  accepted("context", await http.call("PUT", path, headers, given.sealed));
  const answer = await http.call("POST", "/bc-authorize", formType, given.authorize);
  return json(accepted("request", answer)).req_nonce as string;
}

const browser = ({ site, cookie }: Pair): Record<string, string> => ({
  cookie,
  origin: site.origin,
  "sec-fetch-site": "same-origin",
});

/** The phone's reading: the request and its ciphertext. */
export async function look(http: HttpClient, given: PreparedRequest): Promise<void> {
  const path = `/app/requests/${given.rid}`;
  accepted("detail", await http.call("GET", path, browser(given.pair)));
  accepted("ciphertext", await http.call("GET", `${path}/context`, browser(given.pair)));
}

/** Opens a ceremony and signs S, assertion and device signature over it. */
export async function sign(
  http: HttpClient,
  given: PreparedRequest,
  reqNonce: string,
): Promise<Decision> {
  const { pair, request } = given;
  const { device, authenticator } = pair;
  const answer = await http.call(
    "POST",
    `/app/requests/${given.rid}/ceremony`,
    { ...browser(pair), ...jsonType },
    JSON.stringify({ device_kid: device.kid }),
  );
  const ceremony = json(accepted("ceremony", answer)) as Ceremony;
  const bytes = statementBytes(
    { site: pair.site, request, viewHash: given.viewHash, reqNonce },
    {
      cid: ceremony.cid,
      brokerNonce: ceremony.broker_nonce,
      approver: pair.approver,
      deviceKid: device.kid,
    },
  );
  return {
    decision: "approve",
    statement: toBase64url(bytes),
    assertion: await authenticator.assert(hashBytes("approve", bytes)),
    device_signature: await device.sign("approve", bytes),
  };
}

export async function decide(
  http: HttpClient,
  given: PreparedRequest,
  decision: Decision,
): Promise<void> {
  const answer = await http.call(
    "POST",
    `/app/requests/${given.rid}/decisions`,
    { ...browser(given.pair), ...jsonType },
    JSON.stringify(decision),
  );
  accepted("decision", answer);
}

/** The agent's poll: waits for the answer, if there is none yet. @returns the token response */
export async function poll(
  http: HttpClient,
  given: PreparedRequest,
): Promise<{ evidence: unknown }> {
  const answer = json(
    accepted("redeem", await http.call("POST", "/token", given.poll.headers, given.poll.body)),
  );
  if (!answer.evidence) throw new Error("redeemed without evidence");
  return answer;
}

export async function report(http: HttpClient, given: PreparedRequest): Promise<void> {
  const { path, headers, body } = given.report;
  accepted("outcome", await http.call("POST", path, headers, body));
}
