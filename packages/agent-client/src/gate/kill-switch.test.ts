import { createSoftAuthenticator } from "@countersign/test-kit/soft-authenticator";
import { createSoftDevice } from "@countersign/test-kit/soft-device";
import { describe, expect, it, onTestFinished } from "vitest";
import { createPaired, site } from "../fixtures/agent.js";
import { createHands, everyTier } from "../fixtures/hands.js";
import { createGate, type Gate } from "./create-gate.js";

type Freezing = Parameters<
  Awaited<ReturnType<typeof createPaired>>["approver"]["chain"]["signFreeze"]
>[2];

/** A gate whose broker has a stream of hints in the hands of the test. */
async function open() {
  const paired = await createPaired();
  const { broker, approver, client } = paired;
  const streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  const say = (text: string) => {
    for (const stream of streams) stream.enqueue(new TextEncoder().encode(text));
  };
  const state = { isUp: true };
  broker.state.intercept = (path) => {
    if (path !== "/v1/events") return undefined;
    if (!state.isUp) throw new TypeError("fetch failed");
    const body = new ReadableStream<Uint8Array>({ start: (stream) => void streams.add(stream) });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
  const cut = () => {
    for (const stream of streams) stream.close();
    streams.clear();
  };
  const agentJkt = [...broker.pairings.values()][0]?.offer.iss ?? "";
  const show = async (seq: number, given?: Freezing) =>
    approver.chain.showFreeze(await approver.chain.signFreeze(agentJkt, seq, given));
  const hint = () => say(`event: freeze\ndata: {"approver":"${approver.id}"}\n\n`);
  const hands = createHands(everyTier);
  const openGate = async () => {
    const gate = await createGate({ client, executors: [hands.executor] });
    onTestFinished(() => gate.close());
    return gate;
  };
  const connected = () => expect.poll(() => streams.size).toBeGreaterThan(0);
  return { ...paired, hands, openGate, connected, show, hint, cut, state };
}

const look = async (gate: Gate) => (await gate.run({ tool: "look", args: {} })).status;
const until = (gate: Gate, status: string) =>
  expect.poll(() => look(gate), { interval: 20 }).toBe(status);

describe("a freeze on the phone", () => {
  it("stops the gate when the hint comes, and lifting it lets the gate go on", async () => {
    const { openGate, connected, show, hint, hands, broker, approver } = await open();
    const gate = await openGate();
    await connected();
    expect(await look(gate)).toBe("executed");
    await show(1);
    const startedMs = performance.now();
    hint();
    await until(gate, "frozen");
    process.stdout.write(
      `stopped ${Math.round(performance.now() - startedMs)} ms after the hint\n`,
    );
    const before = hands.done.length;
    const red = await gate.run({ tool: "pay", args: {} });
    expect(red).toMatchObject({ status: "frozen", approver: approver.id });
    expect(hands.done).toHaveLength(before);
    expect(broker.requests.size).toBe(0);
    await show(2, { lifts: true });
    hint();
    await until(gate, "executed");
  });

  it("aborts what is under way, and takes back what waits on the phone", async () => {
    const { openGate, connected, show, hint, hands, broker } = await open();
    const gate = await openGate();
    await connected();
    hands.state.during = (signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const running = gate.run({ tool: "look", args: {} });
    const waiting = gate.run({ tool: "pay", args: {} });
    await expect.poll(() => broker.requests.size).toBe(1);
    await show(1);
    hint();
    expect(await running).toMatchObject({ status: "executed", outcome: "failed" });
    expect(await waiting).toMatchObject({ status: "frozen" });
    expect(hands.done).toEqual([]);
  });

  it("is heard of after an outage, and from the disk at the next start", async () => {
    const { openGate, connected, show, cut, state } = await open();
    const gate = await openGate();
    await connected();
    state.isUp = false;
    cut();
    await show(1);
    expect(await look(gate)).toBe("executed");
    state.isUp = true;
    await until(gate, "frozen");
    state.isUp = false;
    expect(await look(await openGate())).toBe("frozen");
  });

  it("counts by the approver's own keys only: a hint or an F of somebody else stops nothing", async () => {
    const { openGate, connected, show, hint } = await open();
    const gate = await openGate();
    await connected();
    const stranger = {
      authenticator: createSoftAuthenticator({ rpId: site.rp_id, origin: site.origin }),
      device: await createSoftDevice(),
    };
    hint();
    await show(1, { by: stranger });
    hint();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await look(gate)).toBe("executed");
  });
});
