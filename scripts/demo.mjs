import { build, install } from "./bootstrap.mjs";

install();
build(["@countersign/example-desk-agent"]);
// In this process: the arguments after `--` and the terminal are the agent's own.
await import("../examples/desk-agent/dist/main.js");
