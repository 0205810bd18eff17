import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createPaired } from "../fixtures/agent.js";
import { createHands, everyTier, type Scripted } from "../fixtures/hands.js";
import { createGate, type GateOptions } from "./create-gate.js";
import type { Described } from "./executor.js";

async function createGated(
  options: Partial<GateOptions> = {},
  script: Record<string, Scripted> = everyTier,
) {
  const paired = await createPaired();
  const hands = createHands(script);
  const gate = await createGate({ client: paired.client, executors: [hands.executor], ...options });
  onTestFinished(() => gate.close());
  /** The honest phone of the paired approver. */
  const answer = async (rid: string, say: "yes" | "no") => {
    const held = paired.broker.requests.get(rid);
    if (!held) throw new Error("nothing was asked");
    if (say === "no") {
      const decision = await paired.approver.deny(held, "not today");
      paired.broker.no(rid, { error: "access_denied", decision });
      return;
    }
    paired.broker.yes(
      rid,
      paired.broker.honestEvidence(rid, [await paired.approver.approve(held)]),
    );
  };
  return { ...paired, hands, gate, answer };
}

const call = (tool: string, args: object = {}) => ({ tool, args: args as never });

describe("the gate", () => {
  it("runs green without asking anybody", async () => {
    const { gate, hands, broker } = await createGated();
    expect(await gate.run(call("look"))).toMatchObject({
      status: "executed",
      tier: "green",
      outcome: "succeeded",
      value: { did: "look" },
      decision: { tier: "green", reasons: ["policy:files-look"] },
    });
    expect(hands.done).toHaveLength(1);
    expect(broker.requests.size).toBe(0);
  });

  it("keeps a caller's bounds by the very description that it decides by", async () => {
    const { gate, hands } = await createGated({ confirm: async () => "yes" });
    expect(await gate.run(call("edit"), { within: () => false })).toMatchObject({
      status: "refused_by_policy",
      code: "not_granted",
    });
    expect(hands.done).toEqual([]);
    const within = ({ resource }: Described) => resource.type === "File";
    expect(await gate.run(call("edit"), { within })).toMatchObject({ status: "executed" });
  });

  it("runs yellow after a yes in passing, and only then", async () => {
    const replies = ["no_answer", "unclear", "yes"] as const;
    let asked = 0;
    const { gate, hands } = await createGated({ confirm: async () => replies[asked++] ?? "no" });
    expect(await gate.run(call("edit"))).toMatchObject({ status: "declined", code: "no_answer" });
    expect(await gate.run(call("edit"))).toMatchObject({ status: "declined", code: "unclear" });
    expect(hands.done).toEqual([]);
    expect(await gate.run(call("edit"))).toMatchObject({ status: "executed", tier: "yellow" });
    expect(hands.done).toHaveLength(1);
  });

  it("runs red after a verified approval, from the approved bytes", async () => {
    const { gate, hands, answer, broker } = await createGated({
      onPending: ({ rid }) => void answer(rid, "yes"),
    });
    expect(await gate.run(call("pay", { to: "shop" }))).toMatchObject({
      status: "approved",
      outcome: "succeeded",
      decision: { tier: "red", reasons: ["policy:pay"] },
    });
    expect(hands.done).toEqual([{ tool: "pay", args: { to: "shop" } }]);
    expect(broker.state.outcomes).toMatchObject([{ n: 1, status: "succeeded" }]);
  });

  it("refuses what a forbid names, what is no call, and tools that nobody gave it", async () => {
    const { gate, hands, broker } = await createGated();
    expect(await gate.run(call("script"))).toMatchObject({
      status: "refused_by_policy",
      code: "forbidden",
      decision: { reasons: [expect.stringMatching(/^policy:script-address/)] },
    });
    const none = [call("other"), { tool: "look" }, null, "look", { ...call("look"), more: 1 }];
    for (const given of none) {
      expect(await gate.run(given as never)).toMatchObject({ status: "refused_by_policy" });
    }
    expect(await gate.run({ tool: "look", args: "invalid" })).toMatchObject({
      code: "invalid_arguments",
    });
    expect(hands.done).toEqual([]);
    expect(broker.requests.size).toBe(0);
  });

  it("journals every decision without arguments", async () => {
    const { gate, home } = await createGated();
    await gate.run(call("look", { note: "hunter2" }));
    await gate.close();
    const directory = join(home, "gate", "decisions");
    const [name = ""] = await readdir(directory);
    const text = await readFile(join(directory, name), "utf8");
    const records = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records).toMatchObject([
      { kind: "decision", tool: "look", tier: "green", rules: ["policy:files-look"] },
      { kind: "outcome", status: "executed", outcome: "succeeded" },
    ]);
    expect(text).not.toContain("hunter2");
  });
});
