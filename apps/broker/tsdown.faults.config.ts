import { defineConfig } from "tsdown";
import { server } from "./tsdown.config.js";

/** For tests only: the server with its fault points, in a directory that nothing ships. */
export default defineConfig({
  ...server,
  outDir: "dist-faults",
  sourcemap: false,
  define: { __FAULTS__: "true" },
});
