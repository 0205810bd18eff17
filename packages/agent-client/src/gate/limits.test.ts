import { describe, expect, it, onTestFinished } from "vitest";
import type { Clock } from "../clock.js";
import { createPaired } from "../fixtures/agent.js";
import { createHands, type Scripted } from "../fixtures/hands.js";
import { createGate, type Gate, type GateOptions } from "./create-gate.js";
import { openDenials } from "./denials.js";
import { createLimits, type Limits } from "./limits.js";

const file = { type: "File", id: "/project/a", attributes: { path: "a" } } as const;
const script: Record<string, Scripted> = {
  look: { family: "read" },
  write: {
    family: "write",
    resource: file,
    extent: { files: 2, bytes: 10 },
    proposal: { reversible: true },
  },
  blind: { family: "write", resource: file, extent: {}, proposal: { reversible: true } },
};

async function open(options: Partial<GateOptions> = {}, clock?: Clock) {
  const paired = await createPaired(clock ? { clock } : {});
  const hands = createHands(script);
  let say: "yes" | "no" = "yes";
  const gate = await createGate({
    client: paired.client,
    executors: [hands.executor],
    onPending: async ({ rid }) => {
      const held = paired.broker.requests.get(rid);
      if (!held) return;
      const { broker, approver } = paired;
      if (say === "no") {
        broker.no(rid, { error: "access_denied", decision: await approver.deny(held, "no") });
      } else broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
    },
    ...options,
  });
  onTestFinished(() => gate.close());
  const answer = (given: "yes" | "no") => {
    say = given;
  };
  return { ...paired, hands, gate, answer };
}

const run = (gate: Gate, tool: string, args: object = {}) =>
  gate.run({ tool, args: args as never });

describe("a limit", () => {
  it("sends what goes over it to the phone, and is renewed by the approval that says so", async () => {
    const { gate } = await open({ limits: { session: { count: 2 } } });
    const statuses: string[] = [];
    for (let n = 0; n < 6; n++) {
      const outcome = await run(gate, "look", { n });
      statuses.push(outcome.status);
      if (outcome.status === "approved") {
        expect(outcome.decision.reasons).toContain("limit:session.count");
        expect(outcome.decision.reasons.join(" ")).toContain("renews");
      }
    }
    expect(statuses).toEqual([
      "executed",
      "executed",
      "approved",
      "executed",
      "executed",
      "approved",
    ]);
  });

  it("lets no more through at once than one after the other", async () => {
    const { gate, broker, hands, answer } = await open({
      limits: { tools: { look: { count: 5 } } },
    });
    answer("no");
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, n) => run(gate, "look", { n })),
    );
    expect(outcomes.filter(({ status }) => status === "executed")).toHaveLength(5);
    expect(hands.done).toHaveLength(5);
    expect(broker.requests.size).toBe(7);
  });

  it.each<[string, Limits, string[]]>([
    ["files", { session: { files: 3 } }, ["session.files"]],
    ["bytes", { tools: { write: { bytes: 15 } } }, ["tool.write.bytes"]],
    ["calls a minute", { session: { perMinute: 1 } }, ["session.perMinute"]],
    ["calls at a time", { session: { concurrent: 1 } }, ["session.concurrent"]],
  ])("counts %s", (_, limits, exceeded) => {
    const { take } = createLimits(limits, { now: () => 0, monotonic: () => 0 });
    const write = described("write");
    expect(take(write, 0).exceeded).toEqual([]);
    expect(take(write, 0).exceeded).toEqual(exceeded);
  });

  it("is over for what nobody measured, and for money of a currency that was not named", () => {
    const limits = { session: { files: 100, money: { EUR: 1000 } } };
    const { take } = createLimits(limits, { now: () => 0, monotonic: () => 0 });
    expect(take(described("blind"), 0).exceeded).toEqual(["session.files"]);
    const pay = (extent: object) =>
      take({ ...described("look"), family: "pay", extent }, 0).exceeded;
    expect(pay({})).toEqual(["session.money"]);
    expect(pay({ amountMinor: 1, currency: "USD" })).toEqual(["session.money"]);
    expect(pay({ amountMinor: 900, currency: "EUR" })).toEqual([]);
    expect(pay({ amountMinor: 200, currency: "EUR" })).toEqual(["session.money"]);
  });

  it("knows the hours, over midnight too, and calls within calls", () => {
    const at = (hour: number, from: number, to: number) =>
      createLimits(
        { hours: { from, to, timeZone: "UTC" }, depth: 1 },
        { now: () => hour * 3_600_000, monotonic: () => 0 },
      ).take(described("look"), hour === 9 ? 2 : 0).exceeded;
    expect(at(10, 8, 18)).toEqual([]);
    expect(at(18, 8, 18)).toEqual(["hours"]);
    expect(at(23, 22, 6)).toEqual([]);
    expect(at(7, 22, 6)).toEqual(["hours"]);
    expect(at(9, 8, 18)).toEqual(["depth"]);
  });

  it.each<[string, unknown]>([
    ["a negative one", { session: { count: -1 } }],
    ["an unknown one", { session: { coffee: 1 } }],
    ["a time zone that is none", { hours: { from: 1, to: 2, timeZone: "Mars/Base" } }],
  ])("is refused when it is %s", (_, limits) => {
    expect(() => createLimits(limits as Limits, { now: () => 0, monotonic: () => 0 })).toThrow(
      expect.objectContaining({ code: "invalid_options" }),
    );
  });
});

describe("what was refused", () => {
  it("is not asked again until its time is over, after a restart neither", async () => {
    const moved = { ms: 0 };
    const now = () => Date.now() + moved.ms;
    const first = await open({}, { now, monotonic: () => performance.now() + moved.ms });
    first.answer("no");
    const { client, broker, hands } = first;
    const limits = { tools: { look: { count: 0 } } };
    const gate = await createGate({
      ...{ client, executors: [hands.executor], limits, rememberDenialsForSeconds: 20 },
      onPending: async ({ rid }) => {
        const held = broker.requests.get(rid);
        if (held)
          broker.no(rid, {
            error: "access_denied",
            decision: await first.approver.deny(held, "no"),
          });
      },
    });
    expect(await run(gate, "look", { n: 1 })).toMatchObject({ status: "denied", reason: "no" });
    expect(await run(gate, "look", { n: 1 })).toMatchObject({ code: "denied_before" });
    expect(broker.requests.size).toBe(1);
    await gate.close();
    const restarted = await createGate({ client, executors: [hands.executor] });
    expect(await run(restarted, "look", { n: 1 })).toMatchObject({ code: "denied_before" });
    expect(await run(restarted, "look", { n: 2 })).toMatchObject({ status: "executed" });
    moved.ms = 20_000;
    expect(await run(restarted, "look", { n: 1 })).toMatchObject({ status: "executed" });
    await restarted.close();
  });
});

describe("a tool that was refused three times", () => {
  it("is asked about no more, however its calls are spelled; others are", async () => {
    const limits = { tools: { look: { count: 0 }, blind: { count: 0 } } };
    const { gate, broker, answer } = await open({ limits });
    answer("no");
    for (const n of [1, 2, 3]) {
      expect(await run(gate, "look", { n })).toMatchObject({ status: "denied" });
    }
    const refused = { status: "refused_by_policy", code: "denied_often" };
    expect(await run(gate, "look", { n: 4 })).toMatchObject(refused);
    expect(broker.requests.size).toBe(3);
    expect(await run(gate, "blind", { n: 4 })).toMatchObject({ status: "denied" });
  });

  it("is asked about again ten minutes after the first of them", async () => {
    const { home } = await createPaired();
    let nowMs = 0;
    const clock = { now: () => Date.now(), monotonic: () => nowMs };
    const denials = await openDenials(home, clock, 900);
    const action = (n: number) => ({
      ...{ v: 1 as const, tool: "look", args: { n }, preconditions: [], reversible: false },
    });
    for (const n of [1, 2, 3]) {
      expect(denials.areMany("look")).toBe(false);
      await denials.remember(action(n));
      nowMs += 1000;
    }
    expect([denials.areMany("look"), denials.areMany("other")]).toEqual([true, false]);
    nowMs = 599_999;
    expect(denials.areMany("look")).toBe(true);
    nowMs = 600_000;
    expect(denials.areMany("look")).toBe(false);
  });
});

function described(tool: string) {
  const said = script[tool];
  return {
    ...{ family: "read" as const, resource: file, extent: {}, context: {} },
    ...said,
    proposal: { tool, args: {} },
  };
}
