import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, createGate, type Executor } from "@countersign/agent-client";
import { weighFacts } from "../../../packages/agent-client/src/gate/facts.js";
import { defaultPolicy } from "../../../packages/agent-client/src/gate/policy/default.js";
import { loadPolicy } from "../../../packages/agent-client/src/gate/policy/load.js";
import { interleave, median, ratioOf, timePerCall } from "../measure.js";
import { atMost, microseconds, type Row } from "../row.js";

const call = { tool: "file.read", args: { path: "vfs://project/a.txt" } };
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

/** A green call through the gate, against a pre-parsed Cedar call with schema and request validation. */
export const gate: Row = {
  name: "gate",
  async run(bench) {
    const home = await mkdtemp(join(tmpdir(), "countersign-bench-"));
    const client = await createClient({ brokerUrl: "http://localhost:4000", home });
    const running = await createGate({ client, executors: [executor] });
    const bare = await bareQuestion(home);
    const gated = async (): Promise<void> => {
      const outcome = await running.run(call);
      if (outcome.status !== "executed") throw new Error(outcome.status);
    };
    try {
      for (let index = 0; index < (bench.smoke ? 1 : 500); index++) await gated();
      const window = bench.smoke ? 10 : 400;
      const found = await interleave(bench.smoke ? 1 : 5, {
        ours: () => timePerCall(window, gated),
        bare: () => timePerCall(window, bare),
      });
      return {
        lines: [
          {
            what: "a green action through the gate",
            ours: microseconds(median(found.ours)),
            against: `a bare Cedar call ${microseconds(median(found.bare))}`,
            ratio: ratioOf(found.ours, found.bare),
            goal: atMost(1.5),
          },
        ],
      };
    } finally {
      await running.close();
      await rm(home, { recursive: true, force: true });
    }
  },
};

/** The very question that the gate asks about this call, put to Cedar alone. */
async function bareQuestion(home: string): Promise<() => void> {
  const { cedar } = await loadPolicy(await defaultPolicy(), "bench");
  const { question } = weighFacts(
    { ...described, proposal: call },
    {
      ...{ home, agent: "agent", session: "session", depth: 0, sessionCalls: 0, earlierDenials: 0 },
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
    },
  );
  const { type, id, attributes } = question.resource;
  const agent = { type: "Agent", id: question.agent };
  const session = { type: "Session", id: question.session };
  return () => {
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
  };
}
