import { beforeAll, describe, expect, test } from "vitest";
import { fromBase64url, randomId, randomNonce, toBase64url } from "./bytes.js";
import {
  type Approval,
  approverOf,
  type DeniedDecision,
  decision,
  verifyApproval,
  verifyDenial,
} from "./decision.js";
import { createApprover, createRequest, flipByte } from "./fixture.js";
import { hashBytes, type Purpose } from "./hash.js";
import { canonicalBytes } from "./json.js";
import { parse } from "./schema.js";
import {
  denialBytes,
  parseDenial,
  parseStatement,
  type Statement,
  statementBytes,
} from "./statement.js";

let world: Awaited<ReturnType<typeof createRequest>>;
let honest: Statement;
beforeAll(async () => {
  world = await createRequest();
  honest = parseStatement(
    statementBytes(world.context, {
      cid: randomId(),
      brokerNonce: randomNonce(),
      approver: world.person.approver,
      deviceKid: world.person.device.kid,
    }),
  );
});

/** Both factors of the right person over whatever members: only the comparison can refuse it. */
async function sign(
  members: object,
  by = world.person,
  purpose: Purpose = "approve",
): Promise<Approval> {
  const bytes = canonicalBytes(members);
  return {
    decision: "approve",
    statement: toBase64url(bytes),
    assertion: await by.authenticator.assert(hashBytes(purpose, bytes)),
    device_signature: await by.device.sign(purpose, bytes),
  };
}

const verify = (given: Approval, keys = world.person.keys) =>
  verifyApproval(given, world.context, keys);

describe("an approval", () => {
  test("by both factors over the statement that the verifier expects is returned as read", async () => {
    const approval = await sign(honest);
    expect(parse(decision, approval)).toEqual(approval);
    expect(await verify(approval)).toEqual(honest);
    expect(approverOf(approval)).toBe(world.person.approver);
  });

  test.each<[keyof Statement, () => unknown]>([
    ["issuer", () => "https://other.example"],
    ["rp_id", () => "other.example"],
    ["origin", () => "https://other.example"],
    ["rid", randomId],
    ["approver", randomId],
    ["ar_hash", randomNonce],
    ["ctx", randomNonce],
    ["view_hash", randomNonce],
    ["renderer", () => "1"],
    ["agent_jkt", randomNonce],
    ["req_nonce", randomNonce],
    ["exec_by", () => honest.exec_by + 1],
  ])("with another %s is refused, though signed", async (member, other) => {
    const approval = await sign({ ...honest, [member]: other() });
    await expect(verify(approval)).rejects.toMatchObject({
      code: "invalid_binding",
      reason: member,
    });
  });

  test.each<[string, object]>([
    ["another version", { v: 2 }],
    ["the other decision", { decision: "deny" }],
    ["an unknown member", { extra: 1 }],
    ["a null", { cid: null }],
    ["a short id of the ceremony", { cid: "AAAA" }],
    ["a short nonce", { broker_nonce: "AAAA" }],
    ["a fractional deadline", { exec_by: 1.5 }],
    ["a deadline as text", { exec_by: "1800000300" }],
  ])("with %s is refused", async (_name, change) => {
    const approval = await sign({ ...honest, ...change });
    await expect(verify(approval)).rejects.toMatchObject({ code: "unknown_member" });
  });

  test("that lacks any one member is refused", async () => {
    for (const member of Object.keys(honest)) {
      const { [member as keyof Statement]: _left, ...rest } = honest;
      await expect(verify(await sign(rest))).rejects.toMatchObject({ code: "unknown_member" });
    }
  });

  test("with any byte of the statement changed is refused", async () => {
    const approval = await sign(honest);
    const bytes = fromBase64url(approval.statement);
    for (let index = 0; index < bytes.length; index++) {
      const statement = toBase64url(flipByte(bytes, index));
      await expect(verify({ ...approval, statement })).rejects.toThrow(
        expect.objectContaining({ name: "ProtocolError" }),
      );
    }
  });

  test("whose nonce or ceremony was exchanged is refused, since the challenge covers them", async () => {
    const approval = await sign(honest);
    for (const change of [{ broker_nonce: randomNonce() }, { cid: randomId() }]) {
      const statement = toBase64url(canonicalBytes({ ...honest, ...change }));
      await expect(verify({ ...approval, statement })).rejects.toMatchObject({
        code: "assertion_invalid",
        reason: "challenge",
      });
    }
  });

  test("in other than canonical form is refused", async () => {
    const approval = await sign(honest);
    const text = ` ${Buffer.from(fromBase64url(approval.statement)).toString()}`;
    const statement = Buffer.from(text).toString("base64url");
    await expect(verify({ ...approval, statement })).rejects.toMatchObject({
      code: "not_canonical",
    });
  });

  test("takes two factors: neither stands in for the other, nor for itself", async () => {
    const approval = await sign(honest);
    const earlier = await sign({ ...honest, cid: randomId() });
    await expect(
      verify({ ...approval, device_signature: earlier.device_signature }),
    ).rejects.toMatchObject({ code: "device_signature_invalid" });
    await expect(verify({ ...approval, assertion: earlier.assertion })).rejects.toMatchObject({
      code: "assertion_invalid",
      reason: "challenge",
    });
  });

  test.each<Purpose>(["practice", "deny", "pair", "login", "credential", "freeze"])(
    "signed for the purpose %s is refused",
    async (purpose) => {
      const approval = await sign(honest, world.person, purpose);
      await expect(verify(approval)).rejects.toMatchObject({
        code: "assertion_invalid",
        reason: "challenge",
      });
      const own = await sign(honest);
      await expect(
        verify({ ...own, device_signature: approval.device_signature }),
      ).rejects.toMatchObject({ code: "device_signature_invalid" });
    },
  );

  test("by another person's credential or device is refused", async () => {
    const other = await createApprover();
    const own = await sign(honest);
    const theirs = await sign(honest, other);
    await expect(verify({ ...own, assertion: theirs.assertion })).rejects.toMatchObject({
      code: "credential_unknown",
    });
    await expect(
      verify({ ...own, device_signature: theirs.device_signature }),
    ).rejects.toMatchObject({ code: "device_signature_invalid" });
    const foreignDevice = await sign({ ...honest, device_kid: other.device.kid });
    await expect(verify(foreignDevice)).rejects.toMatchObject({ code: "device_unknown" });
  });

  test("in the name of one approver by the keys held for another is refused", async () => {
    const other = await createApprover();
    await expect(verify(await sign(honest, other), other.keys)).rejects.toMatchObject({
      code: "invalid_binding",
      reason: "approver",
    });
  });

  test("by a person whom the request does not ask is refused", async () => {
    const other = await createApprover();
    const members = { ...honest, approver: other.approver, device_kid: other.device.kid };
    await expect(verify(await sign(members, other), other.keys)).rejects.toMatchObject({
      code: "invalid_binding",
      reason: "approvers",
    });
  });

  test("without user verification is refused", async () => {
    const bytes = canonicalBytes(honest);
    const assertion = await world.person.authenticator.assert(hashBytes("approve", bytes), {
      flags: { uv: false },
    });
    await expect(verify({ ...(await sign(honest)), assertion })).rejects.toMatchObject({
      code: "assertion_invalid",
      reason: "user_verification",
    });
  });
});

describe("a denial", () => {
  const members = () => ({
    issuer: world.context.site.issuer,
    approver: world.person.approver,
    rid: world.request.rid,
    agentJkt: world.agent.kid,
    deviceKid: world.person.device.kid,
  });
  const expected = () => ({
    issuer: world.context.site.issuer,
    rid: world.request.rid,
    agentJkt: world.agent.kid,
    approvers: world.request.detail.approvers,
  });

  async function deny(change: object = {}, purpose: Purpose = "deny"): Promise<DeniedDecision> {
    const bytes = canonicalBytes({ ...parseDenial(denialBytes(members())), ...change });
    const device_signature = await world.person.device.sign(purpose, bytes);
    return { decision: "deny", statement: toBase64url(bytes), device_signature };
  }

  test("needs the device alone, and carries the reason", async () => {
    const denied = await deny({ reason: "wrong recipient" });
    expect(parse(decision, denied)).toEqual(denied);
    const { reason } = await verifyDenial(denied, expected(), world.person.keys);
    expect(reason).toBe("wrong recipient");
    expect(approverOf(denied)).toBe(world.person.approver);
  });

  test.each<[string, () => unknown]>([
    ["issuer", () => "https://other.example"],
    ["rid", randomId],
    ["agent_jkt", randomNonce],
    ["approver", randomId],
  ])("with another %s is refused, though signed", async (member, other) => {
    const denied = await deny({ [member]: other() });
    await expect(verifyDenial(denied, expected(), world.person.keys)).rejects.toMatchObject({
      code: "invalid_binding",
    });
  });

  test("of a device that is not held is refused", async () => {
    const denied = await deny({ device_kid: randomNonce() });
    await expect(verifyDenial(denied, expected(), world.person.keys)).rejects.toMatchObject({
      code: "device_unknown",
    });
  });

  test("in the name of one approver by the keys held for another is refused", async () => {
    const other = await createApprover();
    const bytes = denialBytes({ ...members(), deviceKid: other.device.kid });
    const device_signature = await other.device.sign("deny", bytes);
    const denied = { decision: "deny", statement: toBase64url(bytes), device_signature } as const;
    const asked = { ...expected(), approvers: [world.person.approver, other.approver] };
    await expect(verifyDenial(denied, asked, other.keys)).rejects.toMatchObject({
      code: "invalid_binding",
    });
  });

  test("by someone whom the request does not ask is refused", async () => {
    const asked = { ...expected(), approvers: [randomId()] };
    await expect(verifyDenial(await deny(), asked, world.person.keys)).rejects.toMatchObject({
      code: "invalid_binding",
    });
  });

  test("signed for another purpose, or with a byte changed, is refused", async () => {
    await expect(
      verifyDenial(await deny({}, "approve"), expected(), world.person.keys),
    ).rejects.toMatchObject({ code: "device_signature_invalid" });
    const denied = await deny({ reason: "no" });
    const bytes = fromBase64url(denied.statement);
    for (let index = 0; index < bytes.length; index++) {
      const statement = toBase64url(flipByte(bytes, index));
      await expect(
        verifyDenial({ ...denied, statement }, expected(), world.person.keys),
      ).rejects.toThrow(expect.objectContaining({ name: "ProtocolError" }));
    }
  });

  test("is no approval, and an approval is no denial, whatever the envelope says", async () => {
    const denied = await deny();
    const approval = await sign(honest);
    await expect(verify({ ...approval, statement: denied.statement })).rejects.toMatchObject({
      code: "unknown_member",
    });
    await expect(
      verifyDenial({ ...denied, statement: approval.statement }, expected(), world.person.keys),
    ).rejects.toMatchObject({ code: "unknown_member" });
  });
});
