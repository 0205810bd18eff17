import { type ApproverChain, canonicalBytes, randomNonce } from "@countersign/shared";
import { describe, expect, it } from "vitest";
import { createPaired } from "../fixtures/agent.js";
import { openJournal } from "../journal/journal.js";
import { claimApproval } from "./claim.js";
import { readOwnRequest } from "./own-request.js";
import { partsOf } from "./parts.js";
import { hold } from "./request.js";

/** An approved request that asks for this measurement, which changes as the test says. */
async function createApproved(before: () => void = () => {}) {
  const world = { measured: "A".repeat(43) as string, times: 0 };
  const folder = async () => {
    if (world.times++ > 0) before();
    return world.measured;
  };
  const clock = { ahead: 0 };
  const paired = await createPaired({
    preconditions: { folder },
    clock: { now: () => Date.now() + clock.ahead, monotonic: () => performance.now() },
  });
  const { rid, held } = await paired.ask({
    tool: "pay",
    args: { to: { name: "Ada" }, sums: [1, { currency: "EUR" }], note: null },
    preconditions: [{ kind: "folder", subject: "x" }],
  });
  const { broker, approver, client } = paired;
  broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
  expect(await client.wait(rid)).toMatchObject({ status: "approved" });
  return { ...paired, rid, held, world, clock };
}

describe("a claim", () => {
  it("hands out the approved action, which nobody can change any more", async () => {
    const { client, rid } = await createApproved();
    const claimed = await client.claim(rid);
    if (claimed.status !== "claimed") throw new Error(claimed.status);
    const { action } = claimed;
    expect(action).toMatchObject({ tool: "pay", args: { to: { name: "Ada" }, note: null } });
    const { to, sums } = action.args as { to: object; sums: [number, object] };
    for (const part of [action, action.args as object, to, sums, sums[1], action.preconditions]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it("is written down before the world is looked at, at the time when it was made", async () => {
    const started = Math.floor(Date.now() / 1000);
    const { client, rid, home, world } = await createApproved();
    const journal = await openJournal(home);
    expect(await journal.isSettled(rid)).toBe(false);
    await client.claim(rid);
    const settlement = (await journal.read(rid))?.settlement;
    const claimedAt = settlement?.kind === "claim" ? settlement.claimed_at : undefined;
    expect(claimedAt).toBeGreaterThanOrEqual(started);
    expect(claimedAt).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000));
    expect(world.times).toBe(2);
  });

  it("of a world that changed burns the approval, and says what changed", async () => {
    const { client, rid, world, broker } = await createApproved();
    world.measured = "E".repeat(43);
    expect(await client.claim(rid)).toMatchObject({
      status: "integrity_mismatch",
      rid,
      code: "precondition_changed",
      changed: [{ kind: "folder", subject: "x", now: world.measured }],
    });
    expect(broker.state.outcomes).toEqual([
      { n: 1, status: "failed", code: "precondition_changed" },
    ]);
    world.measured = "A".repeat(43);
    expect(await client.claim(rid)).toMatchObject({ status: "reported" });
  });

  it("that became too late burns the approval as expired", async () => {
    let late = () => {};
    const { client, rid, clock, broker } = await createApproved(() => late());
    late = () => {
      clock.ahead = 301_000;
    };
    expect(await client.claim(rid)).toEqual({ status: "expired", rid });
    expect(broker.state.outcomes).toEqual([{ n: 1, status: "failed", code: "expired" }]);
  });

  it("whose clock was set meanwhile burns the approval as not to be judged", async () => {
    let set = () => {};
    const { client, rid, clock, broker } = await createApproved(() => set());
    set = () => {
      clock.ahead = -60_000;
    };
    expect(await client.claim(rid)).toEqual({ status: "unreachable", rid, code: "clock_skew" });
    expect(broker.state.outcomes).toEqual([{ n: 1, status: "failed", code: "clock_skew" }]);
  });

  it("needs the approver's keys as they are now, and uses nothing up while they cannot be had", async () => {
    const { client, rid, home, broker, approver } = await createApproved();
    const chain = broker.chains.get(approver.id) as () => ApproverChain;
    broker.chains.delete(approver.id);
    expect(await client.claim(rid)).toMatchObject({ status: "unreachable", rid });
    expect(await (await openJournal(home)).isSettled(rid)).toBe(false);
    broker.chains.set(approver.id, chain);
    expect(await client.claim(rid)).toMatchObject({ status: "claimed" });
  });

  it("of bytes that are not the approved ones any more burns the approval", async () => {
    const { client, rid, home, broker, approver, held } = await createApproved();
    const context = await partsOf(client).context();
    const entry = await (await openJournal(home)).read(rid);
    if (!entry) throw new Error("nothing was requested");
    const own = await readOwnRequest(entry.request, context.key, context.site);
    const manifestBytes = canonicalBytes({ ...own.manifest, salt: randomNonce() });
    const changed = {
      ...hold({ ...own, manifestBytes }, performance.now()),
      evidence: broker.honestEvidence(rid, [await approver.approve(held)]),
    };
    expect(await claimApproval(context, changed)).toEqual({
      status: "integrity_mismatch",
      rid,
      code: "ctx",
      changed: [],
    });
    expect(broker.state.outcomes).toEqual([{ n: 1, status: "failed", code: "integrity_mismatch" }]);
  });

  it("is one process's: what another one settled is the answer, and nothing is handed out", async () => {
    const { client, rid, home, broker } = await createApproved();
    const other = await openJournal(home);
    // After this process found it open, and before it claims: when it asks for what is new of the keys.
    broker.state.intercept = async () => {
      await other.finish(rid, { status: "canceled", settled_at: 1 });
      return undefined;
    };
    expect(await client.claim(rid)).toEqual({ status: "canceled", rid });
    expect(broker.state.outcomes).toEqual([]);
  });
});
