#!/usr/bin/env node
// Committed as it stands, because npm links a bin only if the file exists at install time, and dist/ does not yet.
import { existsSync } from "node:fs";

const cli = new URL("../dist/cli/main.js", import.meta.url);
if (existsSync(cli)) {
  await import(cli.href);
} else {
  process.stderr.write(
    "countersign is not built yet: run `npm run build` in the repository first.\n",
  );
  process.exitCode = 1;
}
