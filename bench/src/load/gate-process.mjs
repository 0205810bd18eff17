// Plain JavaScript on the built package, as it is installed: what runs TypeScript from its sources adds to every call.
// Prints the CPU microseconds of a call, turn by turn: through the gate, and the gate's own question put to Cedar alone.
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [rounds, window] = process.argv.slice(2).map(Number);
const installed = new URL("../../../packages/agent-client/", import.meta.url);

// Before the gate loads it, so that its question is seen.
const cedar = createRequire(installed)("@cedar-policy/cedar-wasm/nodejs");
const authorize = cedar.statefulIsAuthorized;
let asked;
cedar.statefulIsAuthorized = (question) => {
  asked ??= structuredClone(question);
  return authorize(question);
};
const { createClient, createGate } = await import(new URL("dist/index.js", installed).href);

const path = "vfs://project/a.txt";
const described = {
  family: "read",
  resource: { type: "File", id: path, attributes: { path } },
  extent: { files: 1, bytes: 1200 },
  context: {},
};
const executor = {
  tools: ["file.read"],
  describe: async ({ tool, args }) => ({ ...described, proposal: { tool, args } }),
  execute: async () => ({ value: null }),
};

const home = mkdtempSync(join(tmpdir(), "countersign-bench-"));
const client = await createClient({ brokerUrl: "http://localhost:4000", home });
const gate = await createGate({ client, executors: [executor] });

async function gated() {
  const outcome = await gate.run({ tool: "file.read", args: { path } });
  if (outcome.status !== "executed") throw new Error(outcome.status);
}

function bare() {
  const answer = authorize(asked);
  if (answer.type !== "success" || answer.response.decision !== "allow")
    throw new Error("not green");
}

async function cpuMicroseconds(work) {
  const before = process.cpuUsage();
  for (let calls = 0; calls < window; calls++) await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / window;
}

for (let calls = 0; calls < 3 * window; calls++) await gated();
const found = { ours: [], bare: [] };
for (let round = 0; round < rounds; round++) {
  found.ours.push(await cpuMicroseconds(gated));
  found.bare.push(await cpuMicroseconds(bare));
}
await gate.close();
rmSync(home, { recursive: true, force: true });
process.stdout.write(JSON.stringify(found));
