import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

it("benchmarks run: cheap ones, one of them with a broker", { timeout: 110_000 }, async () => {
  const names = ["assertion", "gate", "evidence"];
  const options = ["--import", "tsx", "--conditions=@countersign/source"];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...options, "bench/src/main.ts", "--smoke", ...names],
    { cwd: root, timeout: 100_000 },
  );
  for (const what of ["assertion check", "a green action", "evidence"]) {
    expect(stdout).toContain(what);
  }
});
