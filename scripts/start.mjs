import { build, install } from "./bootstrap.mjs";

install();
build(["@countersign/broker", "@countersign/pwa"]);
// In this process, so that signals and the exit code are the broker's own.
await import("../apps/broker/dist/main.js");
