import { defineConfig } from "tsdown";

/** The protocol is private to this repository: its code and its declarations go into the package itself. */
export default defineConfig({
  entry: { index: "src/index.ts", "cli/main": "src/cli/main.ts" },
  format: "esm",
  platform: "node",
  target: "node20.19",
  fixedExtension: false,
  // Every source is named beforehand in that file: one compiler run, where each file found on the way costs another.
  dts: { eager: true, tsconfig: "tsconfig.build.json", entry: ["src/index.ts"] },
  inputOptions: {
    resolve: { conditionNames: ["@countersign/source", "import", "node", "default"] },
  },
  deps: { alwaysBundle: [/^@countersign\/(shared|egress)/], onlyBundle: false },
});
