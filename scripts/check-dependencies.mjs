// Part of `npm run check`: what the lockfile may hold. docs/decisions/021 says why.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./bootstrap.mjs";
import { nameAt, published, readLockfile, runtimeClosure } from "./lockfile.mjs";

/** Licences of what is shipped. Each lets anybody use, change and pass it on, with at most a notice. */
const licences = [
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
  "Unlicense",
  "Zlib",
];
/** Under a licence that asks for more, and used as it asks: MPL-2.0 covers changes of its own files, and there are none. */
const exceptions = { "web-push": "MPL-2.0" };

const registry = "https://registry.npmjs.org/";
const exact = /^\d+\.\d+\.\d+(?:-[\w.-]+)?$/;

const folder = process.argv[2] ?? root;
const faults = [];
const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const { packages } = readLockfile(folder);

const isAllowed = (licence = "none") =>
  licence
    .replace(/[()]/g, "")
    .split(" OR ")
    .some((choice) => choice.split(" AND ").every((part) => licences.includes(part)));

for (const [place, entry] of Object.entries(packages)) {
  const name = nameAt(place);
  if (name === undefined) {
    const { dependencies, devDependencies, optionalDependencies } = entry;
    const all = { ...dependencies, ...devDependencies, ...optionalDependencies };
    for (const [dependency, version] of Object.entries(all)) {
      if (!exact.test(version)) faults.push(`${place || "the root"}: ${dependency} is not pinned`);
    }
    continue;
  }
  if (entry.link) continue;
  const called = `${place}@${entry.version}`;
  if (!/^sha512-[\w+/]{86}==$/.test(entry.integrity ?? "")) {
    faults.push(`${called} has no SHA-512: node scripts/complete-lockfile.mjs`);
  }
  // Without an address npm takes it from the registry that is configured.
  if (entry.resolved !== undefined && !entry.resolved.startsWith(registry)) {
    faults.push(`${called} comes from elsewhere than ${registry}`);
  }
  if (entry.hasInstallScript && manifest.allowScripts?.[name] !== false) {
    faults.push(`${called} has an install script that package.json does not switch off`);
  }
}
for (const place of runtimeClosure(packages, Object.values(published).flat())) {
  const name = nameAt(place);
  const { license } = packages[place];
  const isException = Object.hasOwn(exceptions, name ?? "") && exceptions[name] === license;
  if (name !== undefined && !isAllowed(license) && !isException) {
    faults.push(`${place} is shipped under ${license ?? "no licence that it tells"}`);
  }
}
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
