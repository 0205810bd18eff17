// What the gate adds to a green call, against a bare pre-parsed Cedar call with schema and request validation.
// npx tsx --conditions=@countersign/source bench/gate.ts [rounds]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, createGate, type Executor } from "@countersign/agent-client";
import { weighFacts } from "../packages/agent-client/src/gate/facts.js";
import { defaultPolicy } from "../packages/agent-client/src/gate/policy/default.js";
import { loadPolicy } from "../packages/agent-client/src/gate/policy/load.js";

const rounds = Number(process.argv[2] ?? 5_000);
const warmUp = 500;

const described = {
  family: "read",
  resource: {
    type: "File",
    id: "vfs://project/a.txt",
    attributes: { path: "vfs://project/a.txt" },
  },
  extent: { files: 1, bytes: 1200 },
  context: {},
} as const;
const executor: Executor = {
  tools: ["file.read"],
  describe: async ({ tool, args }) => ({ ...described, proposal: { tool, args } }),
  execute: async () => ({ value: null }),
};

const home = await mkdtemp(join(tmpdir(), "countersign-bench-"));
const client = await createClient({ brokerUrl: "http://localhost:4000", home });
const gate = await createGate({ client, executors: [executor] });
const { cedar } = await loadPolicy(await defaultPolicy(), "bench");
const { question } = weighFacts(
  { ...described, proposal: { tool: "file.read", args: { path: "vfs://project/a.txt" } } },
  {
    ...{ home, agent: "agent", session: "session", depth: 0, sessionCalls: 0, earlierDenials: 0 },
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
  },
);
const { type, id, attributes } = question.resource;
const agent = { type: "Agent", id: question.agent };
const session = { type: "Session", id: question.session };

function bare(): void {
  const answer = cedar.statefulIsAuthorized({
    principal: session,
    action: { type: "Action", id: question.action },
    resource: { type, id },
    context: { ...question.context },
    entities: [
      { uid: { type, id }, attrs: { ...attributes }, parents: [] },
      { uid: session, attrs: {}, parents: [agent] },
      { uid: agent, attrs: {}, parents: [] },
    ],
    preparsedSchemaName: "bench",
    preparsedPolicySetId: "bench",
    validateRequest: true,
  });
  if (answer.type !== "success" || answer.response.decision !== "allow")
    throw new Error("not green");
}

async function gated(): Promise<void> {
  const outcome = await gate.run({ tool: "file.read", args: { path: "vfs://project/a.txt" } });
  if (outcome.status !== "executed") throw new Error(outcome.status);
}

/** One after the other, so that whatever else the machine does falls on both alike. */
const [bareMs, gatedMs]: [number[], number[]] = [[], []];
for (let round = 0; round < rounds + warmUp; round++) {
  const startedMs = performance.now();
  bare();
  const betweenMs = performance.now();
  await gated();
  if (round < warmUp) continue;
  bareMs.push(betweenMs - startedMs);
  gatedMs.push(performance.now() - betweenMs);
}
const medianUs = (values: number[]): number =>
  (values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0) * 1000;
const [cedarUs, gateUs] = [medianUs(bareMs), medianUs(gatedMs)];
console.log(
  `Cedar alone ${cedarUs.toFixed(0)} us, through the gate ${gateUs.toFixed(0)} us, ratio ${(gateUs / cedarUs).toFixed(2)}`,
);
await gate.close();
await rm(home, { recursive: true, force: true });
process.exit(0);
