import { agentFor } from "@countersign/test-kit/push-service";
import { readEnvironment } from "../env.js";
import { start } from "../start.js";

// A broker in a process of its own, for tests to kill, whose pushes go to the tests' push service.

const [, , cert = "", variables = "{}"] = process.argv;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

const { firstInvitation } = await start(
  readEnvironment(JSON.parse(variables)),
  silent,
  Date.now,
  agentFor(cert),
);
process.stdout.write(`${firstInvitation}\n`);
