import {
  type Approval,
  type Credential,
  canonicalBytes,
  contextHash,
  type EcPublicJwk,
  type Evidence,
  evidence as evidenceSchema,
  fromBase64url,
  hashBytes,
  parse,
  parsePairingStatement,
  parseStatement,
  randomId,
  randomNonce,
  readRequestObject,
  render,
  type Site,
  siteChallenge,
  statementBytes,
  toBase64url,
  verifyApproval,
  verifyDenial,
  viewHash,
} from "@countersign/shared";
import {
  createSoftAgent,
  type SoftAgent,
  type SoftRequest,
} from "@countersign/test-kit/soft-agent";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attackedWorld, codeOf, refusalOf, type World } from "../testing/attack.js";
import { enrolledPhone } from "../testing/harness.js";

let world: World;
let ada: SoftPhone;
let eve: SoftPhone;
let agent: SoftAgent;
/** An agent of Eve's. */
let rival: SoftAgent;
let site: Site;
/** What the agent pinned when it paired with Ada. */
let pinned: { approver: string; credentials: Credential[]; devices: EcPublicJwk[] };

beforeAll(async () => {
  world = await attackedWorld();
  ({ phone: ada, agent } = world);
  const { origin } = world.broker.site;
  site = { issuer: origin, rp_id: "localhost", origin };
  eve = await enrolledPhone(world.broker, "Eve", ada);
  rival = await createSoftAgent({ origin });
  await rival.pairWith(eve);
  const [row] = await world.sql`select acceptance from pairing where client_id = ${agent.clientId}`;
  const statement = parsePairingStatement(fromBase64url(row?.["acceptance"].statement));
  pinned = {
    approver: statement.approver,
    credentials: [statement.credential],
    devices: [statement.device.sig_jwk],
  };
});
afterAll(() => world.close());

const cancel = (rid: string, by = agent) => by.call("POST", `/v1/requests/${rid}/cancel`, {});

describe("another agent's request", () => {
  it("is not there, on any route", async () => {
    const request = await agent.request();
    const { rid } = request;
    const outcome = await agent.outcomeOf(request);
    expect(await refusalOf(rival.call("GET", `/v1/requests/${rid}`))).toBe("not_found");
    expect(await refusalOf(cancel(rid, rival))).toBe("not_found");
    expect(await refusalOf(rival.call("GET", `/v1/requests/${rid}/evidence`))).toBe("not_found");
    const reported = rival.call("POST", `/v1/requests/${rid}/outcome`, { outcome });
    expect(await refusalOf(reported)).toBe("not_found");
    expect((await rival.poll(rid)).body).toMatchObject({
      error: "invalid_grant",
      code: "not_found",
    });
    await ada.approve(rid);
    expect((await rival.poll(rid)).body).toMatchObject({
      error: "invalid_grant",
      code: "not_found",
    });
    expect((await agent.status(rid)).state).toBe("approved");
    await cancel(rid);
  });

  it("cannot be sent under another's name, nor its id taken", async () => {
    const prepared = await agent.prepare();
    expect(await refusalOf(rival.authorize(prepared))).toBe("invalid_binding");
    const { rid } = await agent.request();
    const squatted = await rival.prepare({ claims: { jti: rid } });
    await rival.upload(squatted);
    expect(await refusalOf(rival.authorize(squatted))).toBe("invalid_request");
    expect((await agent.status(rid)).state).toBe("pending");
    await cancel(rid);
  });

  it("asks nobody whom its agent is not paired with", async () => {
    const approvers = [ada.approver(), eve.approver()];
    for (const named of [approvers, [...approvers].reverse(), [ada.approver(), randomId()]]) {
      const prepared = await agent.prepare({ approvers: named });
      await agent.upload(prepared);
      expect(await refusalOf(agent.authorize(prepared))).toBe("forbidden");
    }
  });

  it("names no context that another uploaded", async () => {
    const prepared = await agent.prepare();
    expect(
      (await rival.call("PUT", `/v1/contexts/${prepared.sealedSha256}`, prepared.sealed)).status,
    ).toBe(200);
    expect(await refusalOf(agent.authorize(prepared))).toBe("context_missing");
  });

  it("does not show in another's events or chains", async () => {
    expect(await refusalOf(rival.call("GET", `/v1/approvers/${ada.approver()}/chain`))).toBe(
      "not_found",
    );
    expect(await refusalOf(rival.call("GET", `/v1/approvers/${randomId()}/chain`))).toBe(
      "not_found",
    );
    expect((await agent.call("GET", `/v1/approvers/${ada.approver()}/chain`)).status).toBe(200);
  });
});

describe("another approver's request", () => {
  it("is not there, on any route", async () => {
    const { rid } = await agent.request();
    const [approval, denial] = [await ada.signApproval(rid), await ada.signDenial(rid)];
    const path = `/app/requests/${rid}`;
    expect(await refusalOf(eve.call("GET", path))).toBe("not_found");
    expect(await refusalOf(eve.call("GET", `${path}/context`))).toBe("not_found");
    const opened = eve.call("POST", `${path}/ceremony`, { device_kid: eve.device.kid });
    expect(await refusalOf(opened)).toBe("not_found");
    for (const decision of [approval, denial]) {
      expect(await refusalOf(eve.call("POST", `${path}/decisions`, decision))).toBe("not_found");
    }
    expect(await eve.inbox()).toEqual([]);
    const history = await (await eve.call("GET", "/app/requests?view=history")).json();
    expect(JSON.stringify(history)).not.toContain(rid);
    expect((await agent.status(rid)).state).toBe("pending");
    await cancel(rid);
  });

  it("is not withdrawn by unpairing another's agent", async () => {
    expect(await refusalOf(eve.call("DELETE", `/app/agents/${agent.clientId}`))).toBe("not_found");
    const agents = await eve.pairedAgents();
    expect(agents.map(({ client_id }) => client_id)).toEqual([rival.clientId]);
  });
});

/** What the agent's own verification says about the evidence's first decision. */
async function verdict(
  request: SoftRequest & { reqNonce: string },
  given: Evidence,
): Promise<string> {
  const own = readRequestObject(request.jws);
  const [decision] = given.decisions;
  if (!decision) return "nothing decided";
  if (decision.decision === "deny") {
    const expected = {
      issuer: site.issuer,
      rid: request.rid,
      agentJkt: agent.clientId,
      approvers: own.detail.approvers,
    };
    return codeOf(verifyDenial(decision, expected, pinned));
  }
  const context = {
    site,
    request: own,
    viewHash: viewHash(render(request.manifest, own), request.manifest.salt),
    reqNonce: request.reqNonce,
  };
  return codeOf(verifyApproval(decision, context, pinned));
}

const evidenceOf = (body: Record<string, unknown>): Evidence =>
  parse(evidenceSchema, body["evidence"]);

describe("whoever holds the database", () => {
  it("can have no request approved that the rows say nobody approved", async () => {
    const { rid } = await agent.request();
    for (const state of ["approved", "redeemed", "reported"]) {
      const flipped = world.sql`update authorization_request set state = ${state} where rid = ${rid}`;
      await expect(flipped).rejects.toThrow("request_quorum");
    }
    await expect(
      world.sql`update authorization_request set state = 'yes' where rid = ${rid}`,
    ).rejects.toThrow("request_state");
    expect((await agent.status(rid)).state).toBe("pending");
    await cancel(rid);
  });

  it("gets no approval and no evidence for a row flipped to approved with its count", async () => {
    const request = await agent.request();
    await world.sql`update authorization_request set state = 'approved', approvals = quorum where rid = ${request.rid}`;
    const { body } = await agent.poll(request.rid);
    expect(body).toMatchObject({ error: "access_denied" });
    expect(body).not.toHaveProperty("evidence");
    const answer = await agent.call("GET", `/v1/requests/${request.rid}/evidence`);
    expect(await answer.json()).toMatchObject({ code: "not_redeemed" });
    await cancel(request.rid);
  });

  it("gives no agent another key: its name is its own key's, known or not", async () => {
    const other = await createSoftAgent({ origin: site.origin });
    await other.pairWith(ada);
    const { jws } = await other.prepare();
    const ask = () => other.form("/bc-authorize", { request: jws });
    const setKey = (jwk: EcPublicJwk) =>
      world.sql`update agent set jwk = ${jwk} where client_id = ${other.clientId}`;
    await setKey(rival.jwk);
    expect(await refusalOf(ask())).toBe("invalid_client");
    await setKey(other.jwk);
    expect((await other.call("GET", `/v1/requests/${randomId()}`)).status).toBe(404);
    await setKey(rival.jwk);
    expect(await refusalOf(ask())).toBe("invalid_client");
    expect(await refusalOf(other.call("GET", `/v1/requests/${randomId()}`))).toBe("invalid_client");
    await setKey(other.jwk);
  });

  it("gets evidence that the agent's pinned keys refuse for a passkey and a device of its own", async () => {
    const request = await agent.request();
    const mallory = await createSoftPhone({ origin: site.origin });
    const { credential } = mallory.authenticator;
    const { kid, keys } = mallory.device;
    await world.sql`insert into credential (id, approver, jwk, be, counter)
      values (${credential.id}, ${ada.approver()}, ${credential.jwk}, ${credential.be}, 0)`;
    await world.sql`insert into device (kid, approver, sig_jwk, enc_jwk)
      values (${kid}, ${ada.approver()}, ${keys.sig_jwk}, ${keys.enc_jwk})`;
    await mallory.signIn();
    const path = `/app/requests/${request.rid}`;
    const opened = await (
      await mallory.call("POST", `${path}/ceremony`, { device_kid: kid })
    ).json();
    const approval = await forged(
      request,
      mallory,
      opened as { cid: string; broker_nonce: string },
    );
    // The broker believes its rows; that is all that whoever writes them gets.
    expect((await mallory.call("POST", `${path}/decisions`, approval)).status).toBe(200);
    const { body } = await agent.poll(request.rid);
    expect(await verdict(request, evidenceOf(body))).toBe("credential_unknown");
    const renamed = {
      ...approval,
      assertion: { ...approval.assertion, id: ada.authenticator.credential.id },
    };
    const swapped = { ...evidenceOf(body), decisions: [renamed] };
    expect(await verdict(request, swapped)).toBe("assertion_invalid");
    await world.sql`delete from session where approver = ${ada.approver()} and credential_id = ${credential.id}`;
    await world.sql`delete from credential where id = ${credential.id}`;
    await world.sql`delete from device where kid = ${kid}`;
  });

  it("gets a mixed approval refused at the device by the agent, where only the device is its own", async () => {
    const request = await agent.request();
    const mallory = await createSoftPhone({ origin: site.origin });
    const { kid, keys } = mallory.device;
    await world.sql`insert into device (kid, approver, sig_jwk, enc_jwk)
      values (${kid}, ${ada.approver()}, ${keys.sig_jwk}, ${keys.enc_jwk})`;
    const answer = await ada.call("POST", `/app/requests/${request.rid}/ceremony`, {
      device_kid: kid,
    });
    const opened = (await answer.json()) as { cid: string; broker_nonce: string };
    const pretext = { authenticator: ada.authenticator, device: mallory.device };
    const approval = await forged(request, pretext, opened);
    const decided = await ada.call("POST", `/app/requests/${request.rid}/decisions`, approval);
    expect(decided.status).toBe(200);
    const { body } = await agent.poll(request.rid);
    expect(await verdict(request, evidenceOf(body))).toBe("device_unknown");
    await world.sql`delete from device where kid = ${kid}`;
  });

  it("lets no other account use a passkey that it moved there", async () => {
    const request = await agent.request();
    const [eveKey] =
      await world.sql`update credential set approver = ${ada.approver()} where approver = ${eve.approver()} returning id`;
    const approval = await ada.signApproval(request.rid);
    const assertion = await eve.authenticator.assert(siteChallenge("login", site, randomNonce()));
    const path = `/app/requests/${request.rid}/decisions`;
    expect(await refusalOf(ada.call("POST", path, { ...approval, assertion }))).toBe(
      "assertion_invalid",
    );
    await world.sql`update credential set approver = ${eve.approver()} where id = ${eveKey?.["id"]}`;
    await cancel(request.rid);
  });

  it("gets a statement that it altered, or a denial that it made up, refused by the agent", async () => {
    const approved = await agent.request();
    await ada.approve(approved.rid);
    const [row] = await world.sql`select decision from decision where rid = ${approved.rid}`;
    const honest = row?.["decision"] as Approval;
    const statement = parseStatement(fromBase64url(honest.statement));
    const altered = toBase64url(canonicalBytes({ ...statement, exec_by: statement.exec_by + 60 }));
    const bent = { ...honest, statement: altered };
    await world.sql`update decision set decision = ${bent} where rid = ${approved.rid}`;
    const { body } = await agent.poll(approved.rid);
    expect(await verdict(approved, evidenceOf(body))).toBe("invalid_binding");

    const denied = await agent.request();
    await eveDenies(denied.rid);
    const { body: refusal } = await agent.poll(denied.rid);
    expect(refusal).toMatchObject({ error: "access_denied" });
    const answer = await agent.call("GET", `/v1/requests/${denied.rid}/evidence`);
    expect(await verdict(denied, parse(evidenceSchema, await answer.json()))).toMatch(
      /^(invalid_binding|device_unknown)$/,
    );
  });

  it("gets a no without a decision in it for a row flipped to denied", async () => {
    const { rid } = await agent.request();
    await world.sql`update authorization_request set state = 'denied' where rid = ${rid}`;
    const { body } = await agent.poll(rid);
    expect(body).toMatchObject({ error: "access_denied" });
    expect(body).not.toHaveProperty("decision");
  });

  it("gets evidence of another request refused by the agent", async () => {
    const [one, two] = [await agent.request(), await agent.request()];
    await ada.approve(one.rid);
    const [row] = await world.sql`select decision, cid from decision where rid = ${one.rid}`;
    await world.sql`insert into decision (rid, approver, kind, cid, decision)
      values (${two.rid}, ${ada.approver()}, 'approve', ${row?.["cid"]}, ${row?.["decision"]})`;
    await world.sql`update authorization_request set state = 'approved', approvals = 1 where rid = ${two.rid}`;
    const { body } = await agent.poll(two.rid);
    expect(await verdict(two, evidenceOf(body))).toBe("invalid_binding");
    await cancel(one.rid);
  });
});

/** Eve's own signed no, written into the row of a request that nobody asked her about. */
async function eveDenies(rid: string): Promise<void> {
  const bytes = canonicalBytes({
    v: 1,
    decision: "deny",
    issuer: site.issuer,
    approver: eve.approver(),
    rid,
    agent_jkt: agent.clientId,
    device_kid: eve.device.kid,
  });
  const device_signature = await eve.device.sign("deny", bytes);
  const denial = { decision: "deny", statement: toBase64url(bytes), device_signature };
  await world.sql`insert into decision (rid, approver, kind, decision)
    values (${rid}, ${eve.approver()}, 'deny', ${denial})`;
  await world.sql`update authorization_request set state = 'denied' where rid = ${rid}`;
}

/** S with everything right that a broker can know, signed by whatever keys. */
async function forged(
  request: SoftRequest & { reqNonce: string },
  keys: Pick<SoftPhone, "authenticator" | "device">,
  opened: { cid: string; broker_nonce: string },
): Promise<Approval> {
  const own = readRequestObject(request.jws);
  const bytes = statementBytes(
    {
      site,
      request: own,
      viewHash: viewHash(render(request.manifest, own), request.manifest.salt),
      reqNonce: request.reqNonce,
    },
    {
      cid: opened.cid,
      brokerNonce: opened.broker_nonce,
      approver: ada.approver(),
      deviceKid: keys.device.kid,
    },
  );
  return {
    decision: "approve",
    statement: toBase64url(bytes),
    assertion: await keys.authenticator.assert(hashBytes("approve", bytes)),
    device_signature: await keys.device.sign("approve", bytes),
  };
}

describe("what is hashed", () => {
  it("tells a guesser of the action nothing: the same action never hashes alike", async () => {
    const action = { tool: "file.delete", args: { path: "/tmp/demo" } };
    const prepared = await Promise.all(Array.from({ length: 5 }, () => agent.prepare(action)));
    const contexts = prepared.map(({ manifestBytes }) => contextHash(manifestBytes));
    const views = prepared.map((request) =>
      viewHash(render(request.manifest, readRequestObject(request.jws)), request.manifest.salt),
    );
    expect(new Set([...contexts, ...views]).size).toBe(10);
  });
});
