import { type BrokerProcess, startBrokerProcess } from "@countersign/test-kit/broker-process";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import {
  createSoftAgent,
  type SoftAgent,
  type SoftRequest,
} from "@countersign/test-kit/soft-agent";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";
import * as openid from "openid-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// A client that nobody here wrote, unchanged: what it gets, any CIBA client gets. The sealed request is made by
// the soft agent and travels as the standard's own `request` parameter.

let database: TestDatabase;
let broker: BrokerProcess;
let phone: SoftPhone;
let agent: SoftAgent;
let client: openid.Configuration;

beforeAll(async () => {
  database = await createDatabase();
  broker = await startBrokerProcess({ DATABASE_URL: database.url });
  phone = await createSoftPhone({ origin: broker.origin });
  await phone.enrol(broker.firstInvitation ?? "", "Ada");
  agent = await createSoftAgent({ origin: broker.origin });
  await agent.pairWith(phone);
  client = await discover();
});
afterAll(async () => {
  await broker.stop();
  await database.drop();
});

/** Everything that openid-client needs to know is the issuer, the client id and the key. */
const discover = (): Promise<openid.Configuration> =>
  openid.discovery(
    new URL(broker.origin),
    agent.clientId,
    undefined,
    openid.PrivateKeyJwt({ key: agent.key.privateKey, kid: agent.key.kid }),
    // The one concession: a trial on localhost has no TLS.
    { execute: [openid.allowInsecureRequests] },
  );

async function dpop(): Promise<openid.DPoPHandle> {
  const publicKey = await crypto.subtle.importKey(
    "jwk",
    { ...agent.jwk },
    { name: "ECDSA", namedCurve: "P-256" },
    true,
    ["verify"],
  );
  return openid.getDPoPHandle(client, { privateKey: agent.key.privateKey, publicKey });
}

async function initiate(given: Parameters<SoftAgent["prepare"]>[0] = {}) {
  const prepared = await agent.prepare(given);
  expect((await agent.upload(prepared)).status).toBe(200);
  const started = await openid.initiateBackchannelAuthentication(client, { request: prepared.jws });
  return { prepared, started };
}

const poll = async (started: openid.BackchannelAuthenticationResponse, configuration = client) =>
  openid.pollBackchannelAuthenticationGrant(configuration, started, undefined, {
    DPoP: await dpop(),
  });

describe("openid-client, unchanged", () => {
  it("discovers poll mode, private_key_jwt, DPoP and the sealed action's type", () => {
    expect(client.serverMetadata()).toMatchObject({
      issuer: broker.origin,
      backchannel_token_delivery_modes_supported: ["poll"],
      token_endpoint_auth_methods_supported: ["private_key_jwt"],
      dpop_signing_alg_values_supported: ["ES256"],
      authorization_details_types_supported: ["urn:countersign:action:v1"],
    });
    expect(client.serverMetadata().supportsPKCE()).toBe(false);
  });

  it("is approved, and gets evidence beside tokens that it verified", async () => {
    const { prepared, started } = await initiate();
    expect(started).toMatchObject({ auth_req_id: prepared.rid, interval: 1 });
    const answered = poll(started);
    await phone.approve(prepared.rid);
    const tokens = await answered;
    expect(tokens.token_type).toBe("dpop");
    expect(tokens.claims()).toMatchObject({ sub: phone.approver(), aud: agent.clientId });
    expect(tokens["authorization_details"]).toEqual(prepared.claims.authorization_details);
    expect(tokens["evidence"]).toMatchObject({ decisions: [{ decision: "approve" }] });
    await expect(poll(started)).rejects.toMatchObject({ error: "invalid_grant" });
  });

  it("is denied, with the person's signed no in the error", async () => {
    const { prepared, started } = await initiate();
    const answered = poll(started).catch((error: unknown) => error);
    await phone.deny(prepared.rid, "not this one");
    expect(await answered).toMatchObject({
      error: "access_denied",
      cause: { decision: { decision: "deny" } },
    });
  });

  it("hears that nobody answered in time", async () => {
    const { started } = await initiate({ seconds: 5 });
    // Its own timer, from the same `expires_in`, is set aside: what counts is what it is told.
    await expect(poll({ ...started, expires_in: 30 })).rejects.toMatchObject({
      error: "expired_token",
    });
  });

  it("obeys slow_down, and hears the answer all the same", async () => {
    const { prepared, started } = await initiate();
    const heard: unknown[] = [];
    const listening = await discover();
    let asked = false;
    listening[openid.customFetch] = async (url, options) => {
      const answering = fetch(url, options as RequestInit);
      asked = true;
      const response = await answering;
      heard.push(((await response.clone().json()) as { error?: string }).error);
      return response;
    };
    const first = poll(started, listening).catch((error: unknown) => error);
    // The first one waits its interval before it asks; the second comes while it is being held.
    await expect.poll(() => asked).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const second = agent.poll(prepared.rid);
    await expect.poll(() => heard).toContain("slow_down");
    await phone.deny(prepared.rid);
    expect((await second).body).toMatchObject({ error: "access_denied" });
    expect(await first).toMatchObject({ error: "access_denied" });
  });

  it("is refused without our signed request object", async () => {
    await expect(
      openid.initiateBackchannelAuthentication(client, {
        scope: "openid",
        login_hint: phone.approver(),
        binding_message: "OK-123",
      }),
    ).rejects.toMatchObject({ error: "invalid_request", code: "OAUTH_RESPONSE_BODY_ERROR" });
  });

  it("is refused with another key's request object", async () => {
    const other = await createSoftAgent({ origin: broker.origin });
    await other.pairWith(phone);
    const foreign = await other.prepare();
    await expect(
      openid.initiateBackchannelAuthentication(client, { request: foreign.jws }),
    ).rejects.toMatchObject({ code: "OAUTH_RESPONSE_BODY_ERROR" });
  });

  it("calls a protected resource with client credentials, bound to its key", async () => {
    const handle = await dpop();
    const tokens = await openid.clientCredentialsGrant(client, {}, { DPoP: handle });
    expect(tokens).toMatchObject({ token_type: "dpop", expires_in: 300 });
    const { prepared } = await initiate();
    const status = await fetchStatus(prepared, tokens.access_token, handle);
    expect(await status.json()).toMatchObject({ rid: prepared.rid, state: "pending" });

    const thief = await openid.randomDPoPKeyPair("ES256");
    const stolen = openid.getDPoPHandle(client, thief);
    await expect(fetchStatus(prepared, tokens.access_token, stolen)).rejects.toMatchObject({
      code: "OAUTH_WWW_AUTHENTICATE_CHALLENGE",
    });
  });

  it("cannot poll with a DPoP key that is not the client's", async () => {
    const { started } = await initiate();
    const thief = openid.getDPoPHandle(client, await openid.randomDPoPKeyPair("ES256"));
    await expect(
      openid.pollBackchannelAuthenticationGrant(client, started, undefined, { DPoP: thief }),
    ).rejects.toMatchObject({ error: "invalid_dpop_proof" });
  });
});

const fetchStatus = (
  { rid }: SoftRequest,
  accessToken: string,
  handle: openid.DPoPHandle,
): Promise<Response> =>
  openid.fetchProtectedResource(
    client,
    accessToken,
    new URL(`${broker.origin}/v1/requests/${rid}`),
    "GET",
    undefined,
    undefined,
    { DPoP: handle },
  );
