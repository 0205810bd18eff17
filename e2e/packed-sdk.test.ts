import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));

let folder: string;

/** As a user does it: an empty folder, the packed tarball, and whatever it depends on from the registry. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-packed-"));
  const sdk = join(root, "packages/agent-client");
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], {
    cwd: sdk,
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ name: "user", private: true, type: "module" }),
  );
  await run("npm", ["install", "--no-audit", "--no-fund", join(folder, filename)], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the packed SDK", () => {
  it("compiles the code of both READMEs under strict types", async () => {
    await mkdir(join(folder, "src"));
    const sources: string[] = [];
    for (const [name, readme] of [
      ["root", "README.md"],
      ["sdk", "packages/agent-client/README.md"],
    ] as const) {
      const text = await readFile(join(root, readme), "utf8");
      const codes = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code);
      expect(codes.length).toBeGreaterThan(0);
      for (const [index, code] of codes.entries()) {
        const source = join(folder, "src", `${name}-${index}.ts`);
        await writeFile(source, code);
        sources.push(source);
      }
    }
    const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022"];
    const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const args = [tsc, ...options, ...types, "--ignoreConfig", ...sources];
    const { stdout } = await run(process.execPath, args, { cwd: folder }).catch((failed) => failed);
    expect(stdout).toBe("");
  });

  it("refuses in words when nobody was paired, without a broker", async () => {
    const program = `
      import { createClient } from "@countersign/agent-client";
      const client = await createClient({ brokerUrl: "https://approve.example.com", home: ${JSON.stringify(join(folder, "state"))} });
      console.log(JSON.stringify(await client.guard({ tool: "t", args: {} }, () => 1)));`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: folder,
    });
    expect(JSON.parse(stdout)).toEqual({ status: "refused_by_policy", code: "not_paired" });
  });

  it("brings the command line", async () => {
    const { stdout } = await run("npx", ["--no-install", "countersign", "--help"], { cwd: folder });
    expect(stdout).toContain("pair");
  });

  it("brings the default policy, and finds it right", async () => {
    const { stdout } = await run("npx", ["--no-install", "countersign", "policy", "test"], {
      cwd: folder,
    });
    expect(stdout).toContain("would run unasked: 0 of");
  });
});
