import { closeSync, existsSync, openSync, readdirSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { createPaired } from "../fixtures/agent.js";
import { createHands, everyTier } from "../fixtures/hands.js";
import { createGate } from "./create-gate.js";

const pay = (to: string) => ({ tool: "pay", args: { to } });

describe("one approval", () => {
  it("has one winner among 200 callers in ten gates of the same agent", async () => {
    const { open, broker, approver } = await createPaired();
    const hands = createHands(everyTier);
    const pending: string[] = [];
    const openGate = async () => {
      const client = await open();
      const gate = await createGate({
        ...{ client, executors: [hands.executor] },
        onPending: ({ rid }) => void pending.push(rid),
      });
      onTestFinished(() => gate.close());
      return gate;
    };
    const gates = await Promise.all(Array.from({ length: 10 }, openGate));
    // Asked once beforehand, by a process that then waits with all the others.
    const [first] = gates;
    const asked = first?.run(pay("shop"), { key: "order-1" });
    await expect.poll(() => pending.length).toBe(1);
    const calls = gates.flatMap((gate) =>
      Array.from({ length: 20 }, () => gate.run(pay("shop"), { key: "order-1" })),
    );
    const [held] = [...broker.requests.values()];
    if (!held) throw new Error("nothing was asked");
    const approval = await approver.approve(held);
    broker.yes(held.rid, broker.honestEvidence(held.rid, [approval]));
    const outcomes = await Promise.all([asked, ...calls]);
    expect(hands.done).toHaveLength(1);
    expect(broker.requests.size).toBe(1);
    // Callers of one gate share one call: all of one gate's are told of the one execution, all others who has it.
    const told = outcomes.map((outcome) => outcome?.status);
    const winners = told.filter((status) => status === "approved");
    expect([20, 21]).toContain(winners.length);
    expect(told.filter((status) => status !== "unknown" && status !== "reported")).toEqual(winners);
  }, 60_000);
});

describe("a key", () => {
  it("names one call: green is executed once under it, at the same time and later", async () => {
    const { client } = await createPaired();
    const hands = createHands(everyTier);
    const gate = await createGate({ client, executors: [hands.executor] });
    onTestFinished(() => gate.close());
    const look = { tool: "look", args: { n: 1 } };
    const [one, other] = await Promise.all([
      gate.run(look, { key: "k" }),
      gate.run(look, { key: "k" }),
    ]);
    const later = await gate.run(look, { key: "k" });
    expect(hands.done).toHaveLength(1);
    expect([other, later]).toEqual([one, one]);
    const reused = await gate.run({ tool: "look", args: { n: 2 } }, { key: "k" });
    expect(reused).toMatchObject({ status: "refused_by_policy", code: "key_reused" });
    await gate.run(look, { key: "another" });
    expect(hands.done).toHaveLength(2);
  });
});

describe("what a person was asked for under a key", () => {
  it("is executed no second time after a restart that makes it look harmless", async () => {
    const { client, broker, approver, open } = await createPaired();
    const hands = createHands(everyTier);
    const gate = await createGate({
      ...{ client, executors: [hands.executor], limits: { session: { count: 0 } } },
      onPending: async ({ rid }) => {
        const held = broker.requests.get(rid);
        if (held) broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
      },
    });
    const look = { tool: "look", args: { n: 1 } };
    expect(await gate.run(look, { key: "k" })).toMatchObject({ status: "approved" });
    await gate.close();
    const restarted = await createGate({ client: await open(), executors: [hands.executor] });
    onTestFinished(() => restarted.close());
    expect(await restarted.run(look, { key: "k" })).toMatchObject({
      status: "reported",
      decision: { tier: "red", reasons: expect.arrayContaining(["gate:asked_before"]) },
    });
    expect(hands.done).toHaveLength(1);
  });
});

describe("an effect on a disk that is full by then", () => {
  it("is told and not repeated, and nothing else is executed after it", async () => {
    const { client } = await createPaired();
    const hands = createHands(everyTier);
    const gate = await createGate({ client, executors: [hands.executor] });
    onTestFinished(() => gate.close().catch(() => undefined));
    hands.state.during = async () => {
      fillDisk("/decisions/");
      await sleep(600);
    };
    const look = { tool: "look", args: {} };
    expect(await gate.run(look, { key: "k" })).toMatchObject({
      status: "executed",
      outcome: "succeeded",
    });
    expect(await gate.run(look, { key: "k" })).toMatchObject({ status: "executed" });
    await expect(gate.run(look)).rejects.toMatchObject({ code: "ENOSPC" });
    expect(hands.done).toHaveLength(1);
  });
});

/** Every file that this process has open below a path is full from now on. */
function fillDisk(path: string): void {
  for (const fd of readdirSync("/proc/self/fd")) {
    const target = existsSync(`/proc/self/fd/${fd}`) ? readlinkSync(`/proc/self/fd/${fd}`) : "";
    if (!target.includes(path)) continue;
    closeSync(Number(fd));
    // The lowest number that is free is the one that was closed.
    expect(openSync("/dev/full", "w")).toBe(Number(fd));
  }
}

describe("what was done", () => {
  it("is taken back once, by the plan that was kept, and the phone is told", async () => {
    const { client, broker, approver, open } = await createPaired();
    const hands = createHands(everyTier);
    const gate = await createGate({
      ...{ client, executors: [hands.executor], confirm: async () => "yes" },
      onPending: async ({ rid }) => {
        const held = broker.requests.get(rid);
        if (held) broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
      },
    });
    const moved = await gate.run({ tool: "edit", args: { n: 1 } });
    expect(await gate.undo(moved.decision.id)).toEqual({ status: "undone" });
    expect(await gate.undo(moved.decision.id)).toEqual({ status: "nothing_to_undo" });
    const paid = await gate.run(pay("shop"));
    await gate.close();
    if (paid.status !== "approved") throw new Error(paid.status);
    const restarted = await createGate({ client: await open(), executors: [hands.executor] });
    expect(await restarted.undo(paid.rid)).toEqual({ status: "undone" });
    expect(hands.undone).toEqual([{ took: { n: 1 } }, { took: { to: "shop" } }]);
    expect(broker.state.outcomes).toMatchObject([
      { n: 1, status: "succeeded" },
      { n: 2, status: "rolled_back", code: "undone" },
    ]);
    await restarted.close();
  });
});
