import {
  type Approval,
  type Evidence,
  fromBase64url,
  randomNonce,
  toBase64url,
} from "@countersign/shared";
import { createSoftAuthenticator } from "@countersign/test-kit/soft-authenticator";
import { createSoftDevice } from "@countersign/test-kit/soft-device";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPaired, site } from "../fixtures/agent.js";
import { createApprover, type Forgery } from "../fixtures/approver.js";
import { readAgentKey } from "../home/agent-key.js";
import { openPins, type Pin } from "../home/pins.js";
import { openJournal } from "../journal/journal.js";
import { type OwnRequest, readOwnRequest } from "./own-request.js";
import { verifyEvidence } from "./verify.js";

type World = Awaited<ReturnType<typeof createWorld>>;

/** One request of one agent, with everything that an attacker at the broker could hold. */
async function createWorld(approvers = 1, quorum = 1) {
  const paired = await createPaired({ approvers });
  const { held, rid } = await paired.ask(undefined, { quorum });
  return { ...paired, held, rid, ...(await ownSide(paired.home, rid)) };
}

async function ownSide(home: string, rid: string): Promise<{ own: OwnRequest; pins: Pin[] }> {
  const key = await readAgentKey(home);
  const entry = await (await openJournal(home)).read(rid);
  if (!key || !entry) throw new Error("nothing was requested");
  const own = await readOwnRequest(entry.request, key, site);
  return { own, pins: await (await openPins(home, site)).all() };
}

async function verdictOn(world: World, decisions: Evidence["decisions"], change = {}) {
  const evidence = { ...world.broker.honestEvidence(world.rid, decisions), ...change };
  return verifyEvidence(evidence, world.own, world.pins);
}

const flipped = (text: string, index = 0): string => {
  const bytes = fromBase64url(text);
  bytes[index % bytes.length] = (bytes[index % bytes.length] as number) ^ 1;
  return toBase64url(bytes);
};

describe("evidence that an agent accepts", () => {
  it("is an approval by a pinned approver of its own request", async () => {
    const world = await createWorld();
    const approval = await world.approver.approve(world.held);
    expect(await verdictOn(world, [approval])).toMatchObject({ verdict: "approved" });
  });

  it("may carry the manifest, if it is this agent's own", async () => {
    const world = await createWorld();
    const approval = await world.approver.approve(world.held);
    const manifest = toBase64url(world.own.manifestBytes);
    expect(await verdictOn(world, [approval], { manifest })).toMatchObject({ verdict: "approved" });
  });

  it("says under which checkpoint it is, and what the phones saw of the log", async () => {
    const world = await createWorld();
    const checkpoint = { size: 1, root: randomNonce() };
    const seeing = await world.approver.approve(world.held, { checkpoint });
    expect(await verdictOn(world, [seeing])).toMatchObject({
      checkpoint: { size: 1 },
      notarised: [checkpoint],
      statements: [{ approver: world.approver.id }],
    });
    const blind = await world.approver.approve(world.held);
    expect(await verdictOn(world, [blind])).toMatchObject({ notarised: [] });
  });

  it("has as many distinct approvers as it asked for", async () => {
    const world = await createWorld(2, 2);
    const both = await Promise.all(world.approvers.map((person) => person.approve(world.held)));
    expect(await verdictOn(world, both)).toMatchObject({ verdict: "approved" });
    expect(await verdictOn(world, both.slice(1))).toEqual({
      verdict: "refused",
      code: "invalid_binding:quorum",
    });
  });
});

describe("evidence that an agent refuses", () => {
  let world: World;
  let approval: Approval;

  const fresh = async () => {
    world = await createWorld();
    approval = await world.approver.approve(world.held);
  };

  it("is empty: a row flipped to approved has no decision", async () => {
    await fresh();
    expect(await verdictOn(world, [])).toEqual({
      verdict: "refused",
      code: "invalid_binding:quorum",
    });
  });

  it("carries another request object, key, nonce or manifest than its own", async () => {
    await fresh();
    const other = await world.ask();
    const changes: [string, Partial<Evidence>][] = [
      ["request", { request: other.held.jws }],
      ["request", { request: `${world.held.jws.slice(0, -4)}AAAA` }],
      ["agent_jwk", { agent_jwk: world.approver.authenticator.credential.jwk }],
      ["req_nonce", { req_nonce: randomNonce() }],
      ["manifest", { manifest: flipped(toBase64url(world.own.manifestBytes), 40) }],
    ];
    for (const [reason, change] of changes) {
      expect(await verdictOn(world, [approval], change)).toEqual({
        verdict: "refused",
        code: `invalid_binding:${reason}`,
      });
    }
  });

  it("answers another request of the same agent, or of another agent", async () => {
    await fresh();
    const other = await world.ask();
    const elsewhere = await createPaired();
    const theirs = await elsewhere.ask();
    const moved = await world.approver.approve(other.held);
    const foreign = await world.approver.approve(theirs.held, {}, elsewhere.approver.device);
    for (const decision of [moved, foreign]) {
      expect(await verdictOn(world, [decision])).toMatchObject({ code: "invalid_binding:rid" });
    }
  });

  it("has one changed member in an S that is otherwise signed correctly", async () => {
    await fresh();
    const other = randomNonce();
    const changes: Record<string, unknown> = {
      issuer: "https://evil.example",
      rp_id: "evil.example",
      origin: "https://evil.example",
      rid: other,
      ar_hash: other,
      ctx: other,
      view_hash: other,
      renderer: "0",
      agent_jkt: other,
      req_nonce: other,
      exec_by: 4_000_000_000,
    };
    for (const [member, value] of Object.entries(changes)) {
      const statement: Forgery["statement"] = (honest) => ({ ...honest, [member]: value });
      const forged = await world.approver.approve(world.held, { statement });
      expect(await verdictOn(world, [forged])).toEqual({
        verdict: "refused",
        code: `invalid_binding:${member}`,
      });
    }
  });

  it("has one changed bit anywhere in S, the assertion or the device signature", async () => {
    await fresh();
    const { assertion } = approval;
    const alter: ((index: number) => Approval)[] = [
      (index) => ({ ...approval, statement: flipped(approval.statement, index) }),
      (index) => ({ ...approval, device_signature: flipped(approval.device_signature, index) }),
      ...(["clientDataJSON", "authenticatorData", "signature"] as const).map(
        (member) =>
          (index: number): Approval => ({
            ...approval,
            assertion: {
              ...assertion,
              response: {
                ...assertion.response,
                [member]: flipped(assertion.response[member], index),
              },
            },
          }),
      ),
    ];
    await fc.assert(
      fc.asyncProperty(fc.nat(alter.length - 1), fc.nat(2000), async (which, index) => {
        const altered = alter[which]?.(index) as Approval;
        expect(await verdictOn(world, [altered])).toMatchObject({ verdict: "refused" });
      }),
      { numRuns: 150 },
    );
  });

  it("comes from a frame, without presence or verification, or from a credential that changed", async () => {
    await fresh();
    const bent: [string, Forgery["assertion"]][] = [
      ["cross_origin", { crossOrigin: true }],
      ["cross_origin", { topOrigin: "https://evil.example" }],
      ["user_presence", { flags: { up: false } }],
      ["user_verification", { flags: { uv: false } }],
      ["backup_eligibility", { flags: { be: false, bs: false } }],
      ["origin", { origin: "https://evil.example" }],
      ["rp_id", { rpId: "evil.example" }],
      ["type", { type: "webauthn.create" }],
    ];
    for (const [reason, assertion] of bent) {
      const forged = await world.approver.approve(world.held, { assertion: assertion ?? {} });
      expect(await verdictOn(world, [forged])).toEqual({
        verdict: "refused",
        code: `assertion_invalid:${reason}`,
      });
    }
  });

  it("uses a signature made for another purpose", async () => {
    await fresh();
    const assertion = await world.approver.approve(world.held, { challengePurpose: "pair" });
    const device = await world.approver.approve(world.held, { devicePurpose: "deny" });
    expect(await verdictOn(world, [assertion])).toMatchObject({
      code: "assertion_invalid:challenge",
    });
    expect(await verdictOn(world, [device])).toMatchObject({ code: "device_signature_invalid" });
  });

  it("is by a credential or a device that only the broker vouches for", async () => {
    await fresh();
    const authenticator = createSoftAuthenticator({ rpId: site.rp_id, origin: site.origin });
    const sameId = {
      ...authenticator,
      assert: async (challenge: Uint8Array<ArrayBuffer>) => ({
        ...(await authenticator.assert(challenge)),
        id: world.approver.authenticator.credential.id,
      }),
    };
    const device = await createSoftDevice();
    const { approver, held } = world;
    expect(await verdictOn(world, [await approver.approve(held, { authenticator })])).toMatchObject(
      {
        code: "credential_unknown",
      },
    );
    expect(
      await verdictOn(world, [await approver.approve(held, { authenticator: sameId })]),
    ).toMatchObject({ code: "assertion_invalid:signature" });
    expect(
      await verdictOn(world, [await approver.approve(held, { device }, approver.device)]),
    ).toMatchObject({ code: "device_unknown" });
  });

  it("is by somebody whom nobody paired, or who was unpaired since", async () => {
    await fresh();
    const stranger = await createApprover(site);
    const forged = await stranger.approve(world.held, {}, world.approver.device);
    const code = "invalid_binding:approver_not_pinned";
    expect(await verdictOn(world, [forged])).toMatchObject({ code });
    const unpaired = { ...world, pins: [] };
    expect(await verdictOn(unpaired, [approval])).toMatchObject({ code });
  });

  it("uses keys that are pinned for another approver", async () => {
    const two = await createWorld(2);
    const [first, second] = two.approvers as [typeof two.approver, typeof two.approver];
    const { authenticator, device } = second;
    const borrowed = [
      await first.approve(two.held, { authenticator }),
      await first.approve(two.held, { device }, first.device),
      await first.approve(two.held, { approver: second.id }),
    ];
    for (const decision of borrowed) {
      expect(await verdictOn(two, [decision])).toMatchObject({ verdict: "refused" });
    }
  });

  it("is by a paired approver whom the request does not name", async () => {
    const paired = await createPaired({ approvers: 2 });
    const [first, second] = paired.approvers as [typeof paired.approver, typeof paired.approver];
    const { held, rid } = await paired.ask(undefined, { approvers: [first.id] });
    const own = { ...paired, held, rid, ...(await ownSide(paired.home, rid)) };
    const uninvited = await second.approve(held, {}, first.device);
    expect(await verdictOn(own, [uninvited])).toMatchObject({ code: "invalid_binding:approvers" });
  });

  it("counts one approver twice towards a quorum", async () => {
    const two = await createWorld(2, 2);
    const [first] = two.approvers as [typeof two.approver];
    const twice = [await first.approve(two.held), await first.approve(two.held)];
    expect(await verdictOn(two, twice)).toMatchObject({ code: "invalid_binding:approver_twice" });
  });

  it("counts one passkey or one phone under two names towards a quorum", async () => {
    const two = await createWorld(2, 2);
    const [first, second] = two.approvers as [typeof two.approver, typeof two.approver];
    const both = [await first.approve(two.held), await second.approve(two.held)];
    const [mine, theirs] = two.pins as [Pin, Pin];
    // Pairing refuses this; an agent's own pins may still say so after they were tampered with.
    for (const shared of ["credentials", "devices"] as const) {
      const asFirst = mine.approver === first.id ? mine : theirs;
      const doubled = await second.approve(two.held, {
        ...(shared === "credentials" ? { authenticator: first.authenticator } : {}),
        ...(shared === "devices" ? { device: first.device } : {}),
      });
      const pins = two.pins.map((pin) =>
        pin.approver === second.id ? { ...pin, [shared]: asFirst[shared] } : pin,
      );
      expect(await verdictOn({ ...two, pins }, [both[0] as Approval, doubled])).toMatchObject({
        code: "invalid_binding:quorum",
      });
    }
  });

  it("has no proof that the very approval is in the log", async () => {
    await fresh();
    const { leaves } = world.broker.honestEvidence(world.rid, [approval]);
    const [leaf] = leaves as [(typeof leaves)[number]];
    const record = (change: object) => [{ ...leaf, record: { ...leaf.record, ...change } }];
    for (const others of [
      [],
      [{ record: leaf.record }],
      record({ kind: "redeem" }),
      record({ rid: randomNonce() }),
      record({ digest: randomNonce() }),
    ]) {
      expect(await verdictOn(world, [approval], { leaves: others })).toEqual({
        verdict: "refused",
        code: "log_invalid:leaf",
      });
    }
    const salted = record({ salt: randomNonce() });
    expect(await verdictOn(world, [approval], { leaves: salted })).toMatchObject({
      verdict: "refused",
    });
    const unproved = [{ record: leaf.record }, leaf];
    expect(await verdictOn(world, [approval], { leaves: unproved })).toMatchObject({
      verdict: "approved",
    });
  });

  it("proves its approvals under two checkpoints", async () => {
    const two = await createWorld(2, 2);
    const both = await Promise.all(two.approvers.map((person) => person.approve(two.held)));
    const { leaves } = two.broker.honestEvidence(two.rid, both);
    const { leaves: later } = two.broker.honestEvidence(two.rid, both);
    const mixed = [leaves[0], later[1]] as typeof leaves;
    expect(await verdictOn(two, both, { leaves: mixed })).toEqual({
      verdict: "refused",
      code: "log_invalid:checkpoints",
    });
  });

  it("is so broken that reading it fails: that is no approval either", async () => {
    await fresh();
    const broken = { decisions: null } as unknown as Partial<Evidence>;
    expect(await verdictOn(world, [approval], broken)).toEqual({
      verdict: "refused",
      code: "internal",
    });
  });

  it("has an unsound decision beside enough sound ones", async () => {
    const two = await createWorld(2, 1);
    const [first, second] = two.approvers as [typeof two.approver, typeof two.approver];
    const sound = await first.approve(two.held);
    const unsound = await second.approve(two.held, { assertion: { flags: { uv: false } } });
    const invented = await second.deny(two.held, undefined, first.device);
    expect(await verdictOn(two, [sound, unsound])).toMatchObject({ verdict: "refused" });
    expect(await verdictOn(two, [sound, invented])).toEqual({
      verdict: "refused",
      code: "device_signature_invalid",
    });
  });

  it("holds a valid no beside any number of yes", async () => {
    const two = await createWorld(2, 1);
    const [first, second] = two.approvers as [typeof two.approver, typeof two.approver];
    const [yes, no] = [await first.approve(two.held), await second.deny(two.held, "not today")];
    const invented = await first.deny(two.held, undefined, second.device);
    for (const decisions of [
      [yes, no],
      [invented, no],
    ]) {
      expect(await verdictOn(two, decisions)).toMatchObject({
        verdict: "denied",
        denial: { approver: second.id, reason: "not today" },
      });
    }
  });
});
