import { defineConfig } from "tsdown";

/** The protocol is private to this repository: its code and its declarations go into the package itself. */
export default defineConfig({
  entry: { index: "src/index.ts", "cli/main": "src/cli/main.ts" },
  format: "esm",
  platform: "node",
  target: "node20.19",
  fixedExtension: false,
  // The private package is outside this folder, where the compiler emits declarations only if told to beforehand.
  dts: { eager: true, entry: ["src/index.ts"] },
  inputOptions: {
    resolve: { conditionNames: ["@countersign/source", "import", "node", "default"] },
  },
  deps: { alwaysBundle: [/^@countersign\/shared/], onlyBundle: false },
});
