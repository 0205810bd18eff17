import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

type Entry = Record<string, unknown>;
interface Lock {
  packages: Record<string, Entry>;
}

let folder: string;
let lock: Lock;
let manifest: Record<string, unknown>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-dependencies-"));
  lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8"));
  manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
});
afterAll(() => rm(folder, { recursive: true }));

/** What the check says of the lockfile after a change of it. */
async function faultsAfter(change: (packages: Lock["packages"]) => void): Promise<string> {
  const changed = structuredClone(lock);
  change(changed.packages);
  await writeFile(join(folder, "package-lock.json"), JSON.stringify(changed));
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(root, "scripts/check-dependencies.mjs"), folder],
    { encoding: "utf8" },
  );
  expect(status).toBe(stderr === "" ? 0 : 1);
  return stderr;
}

const at = (packages: Lock["packages"], place: string): Entry => {
  const entry = packages[place];
  if (!entry) throw new Error(`${place} is not locked`);
  return entry;
};

it("finds nothing in the lockfile as it is", async () => {
  expect(await faultsAfter(() => {})).toBe("");
});

it.each<[string, string, (packages: Lock["packages"]) => void]>([
  ["without a checksum", "no SHA-512", (all) => delete at(all, "node_modules/hono")["integrity"]],
  [
    "with a weak checksum",
    "no SHA-512",
    (all) =>
      Object.assign(at(all, "node_modules/hono"), {
        integrity: "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
      }),
  ],
  [
    "from another place than the registry",
    "comes from elsewhere",
    (all) =>
      Object.assign(at(all, "node_modules/jose"), { resolved: "https://evil.example/jose.tgz" }),
  ],
  [
    "from a repository",
    "comes from elsewhere",
    (all) =>
      Object.assign(at(all, "node_modules/jose"), {
        resolved: "git+ssh://git@github.com/x/jose.git",
      }),
  ],
  [
    "with an install script that nobody switched off",
    "has an install script",
    (all) => Object.assign(at(all, "node_modules/zod"), { hasInstallScript: true }),
  ],
  [
    "shipped under a licence that is not on the list",
    "is shipped under GPL-3.0-only",
    (all) => Object.assign(at(all, "node_modules/diff"), { license: "GPL-3.0-only" }),
  ],
  [
    "shipped under no licence, however deep",
    "is shipped under no licence",
    (all) => delete at(all, "node_modules/pako")["license"],
  ],
  [
    "by a range",
    "hono is not pinned",
    (all) => Object.assign(at(all, "apps/broker")["dependencies"] as Entry, { hono: "^4.0.0" }),
  ],
])("refuses a dependency %s", async (_, fault, change) => {
  expect(await faultsAfter(change)).toContain(fault);
});

it("lists for each published part what it runs on, and nothing that only tests or builds it", async () => {
  const { status } = spawnSync(process.execPath, [join(root, "scripts/sbom.mjs")]);
  expect(status).toBe(0);
  const parts = {
    broker: ["hono", "jose", "pg", "preact", "zod"],
    "agent-client": ["jose", "unbash", "zod"],
  };
  for (const [part, names] of Object.entries(parts)) {
    const bom = JSON.parse(await readFile(join(root, `sbom/${part}.cdx.json`), "utf8"));
    const listed = bom.components.map(({ name }: { name: string }) => name);
    expect(listed).toEqual(expect.arrayContaining(names));
    for (const tool of [
      "vitest",
      "turbo",
      "playwright-core",
      "chromium",
      "test-kit",
      "typescript",
    ]) {
      expect(listed).not.toContain(tool);
    }
    const known = new Set(
      [bom.metadata.component, ...bom.components].map((each) => each["bom-ref"]),
    );
    expect(known.size).toBe(bom.components.length + 1);
    for (const { ref, dependsOn } of bom.dependencies) {
      for (const each of [ref, ...dependsOn]) expect(known).toContain(each);
    }
  }
});
