import { defineConfig } from "tsdown";

export default defineConfig({
  entry: ["src/main.ts"],
  format: "esm",
  platform: "node",
  target: "node20.19",
  dts: false,
  fixedExtension: false,
  deps: {
    // Source only, and never published: whatever is used of it comes along.
    alwaysBundle: ["@countersign/test-kit"],
    neverBundle: ["@countersign/agent-client", "playwright-core", "@sparticuz/chromium", "uqr"],
    onlyBundle: false,
  },
});
