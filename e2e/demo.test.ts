import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const program = fileURLToPath(new URL("../examples/desk-agent/dist/main.js", import.meta.url));

it("the demo ends well: approved once, deleted once, denied and not clicked", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, "--auto"]);
  expect(stdout).toMatch(/done\s*$/);
}, 120_000);
