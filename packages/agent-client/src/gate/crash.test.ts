import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createClient } from "../client/create-client.js";
import { createHome, createPaired, site } from "../fixtures/agent.js";
import { reachBroker, serveBroker } from "../fixtures/broker-server.js";
import { startGateChild } from "../fixtures/child.js";
import { redHand } from "../fixtures/red-hand.js";
import { createGate } from "./create-gate.js";

/** `LONG=1` for the long run. */
const rounds = process.env["LONG"] ? 100 : 1;

/** Where a process dies, and what a restart that repeats the call under its key then comes to. */
const points: [point: string, what: string, after: string, effects: number][] = [
  ["W0", "before the proposal is stored", "approved", 1],
  ["W1", "with the context stored and no request", "approved", 1],
  ["W2", "with the request taken and the reply lost", "approved", 1],
  ["W3", "with the request written down", "approved", 1],
  ["W4", "with the approval waiting", "approved", 1],
  ["W5", "with the approval redeemed and the reply lost", "unreachable", 0],
  ["W6", "with the approval verified and not claimed", "unreachable", 0],
  ["W7", "with the approval claimed, before the effect", "unknown", 0],
  ["W8", "after the effect, with no outcome stored", "unknown", 1],
  ["W9", "with the outcome stored and not sent", "reported", 1],
  ["W10", "with the outcome sent and the reply lost", "reported", 1],
];

async function dieAt(point: string) {
  const { home, broker, approver } = await createPaired();
  const server = await serveBroker(broker, approver, site.issuer);
  const effects = join(await createHome(), "effects");
  const lines = async () =>
    (await readFile(effects, "utf8").catch(() => "")).split("\n").filter(Boolean);
  const child = startGateChild(home, String(server.port), effects, point);
  await child.exited;
  const died = { signal: child.child.signalCode };
  /** As an agent does after a restart: what is unknown is looked up, and the call made again under its key. */
  const again = async () => {
    const client = await createClient({
      brokerUrl: site.issuer,
      home,
      fetch: reachBroker(server.port),
      retryForMs: 500,
    });
    const unknown = await client.recover();
    const done: string[] = [];
    const gate = await createGate({
      client,
      executors: [redHand((line) => done.push(line.trim()))],
    });
    const outcome = await gate.run({ tool: "pay", args: { to: "shop" } }, { key: "payment-1" });
    await gate.close();
    return { status: outcome.status, unknown: unknown.length, done };
  };
  return { died, again, lines, close: () => server.close() };
}

/** What a death at this point and two restarts came to, against what they should. */
async function round([point, what, after, effects]: (typeof points)[number]) {
  const { died, again, lines, close } = await dieAt(point);
  const first = await again();
  const second = await again();
  close();
  const executed = [...(await lines()), ...first.done, ...second.done];
  const settled = after === "approved" ? "reported" : after;
  return {
    expected: { point, what, died: "SIGKILL", after, settled, effects, doubles: 0, repeated: 0 },
    got: {
      ...{ point, what, died: died.signal, after: first.status, settled: second.status },
      ...{ effects: executed.length, doubles: executed.length - new Set(executed).size },
      repeated: second.done.length,
    },
    unknown: first.unknown,
  };
}

describe("an agent that is killed on the way", () => {
  it(
    "executes each approval once at most, wherever it died, and repeats nothing that is unknown",
    async () => {
      const waiting = Array.from({ length: rounds }, () => points).flat();
      const results: Awaited<ReturnType<typeof round>>[] = [];
      const work = async () => {
        for (let next = waiting.pop(); next; next = waiting.pop()) results.push(await round(next));
      };
      await Promise.all(Array.from({ length: 3 }, work));
      const unknown = results.reduce((sum, result) => sum + result.unknown, 0);
      process.stdout.write(`${results.length} deaths, unknown: ${unknown}\n`);
      expect(results.map(({ got }) => got)).toEqual(results.map(({ expected }) => expected));
      expect(results).toHaveLength(points.length * rounds);
      expect(unknown).toBe(2 * rounds);
    },
    rounds * 180_000,
  );
});
