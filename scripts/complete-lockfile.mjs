// Run by hand after every change of a dependency: `npm install --include=dev && node scripts/complete-lockfile.mjs`.
//
// npm sometimes leaves binaries for other systems out of package-lock.json. `npm ci` then refuses the lockfile, and an
// install on another system would miss its binaries, or take them unchecked.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./bootstrap.mjs";
import { nameAt, placeOf, readLockfile } from "./lockfile.mjs";

const lock = readLockfile(root);

/** What the registry says of a version, as npm would have written it down. */
function entry(name, version, { dev }) {
  const fields = ["cpu", "os", "libc", "license", "engines", "dist.integrity"];
  const told = execFileSync("npm", ["view", `${name}@${version}`, ...fields, "--json"], {
    encoding: "utf8",
  });
  const { "dist.integrity": integrity, cpu, os, libc, license, engines } = JSON.parse(told);
  return {
    version,
    integrity,
    ...{ cpu, ...(dev && { dev }), ...(libc && { libc }), license, optional: true, os, engines },
  };
}

const wanted = [];
for (const [from, given] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(given.optionalDependencies ?? {})) {
    const place = placeOf(lock.packages, from, name);
    const isWhole = place !== undefined && lock.packages[place].integrity !== undefined;
    // A range has to be resolved by npm; platform packages are always pinned by the package that they belong to.
    if (/^\d/.test(version) && !isWhole) {
      const taken = lock.packages[`node_modules/${name}`] !== undefined;
      const free = taken ? `${from}/node_modules/${name}` : `node_modules/${name}`;
      wanted.push({ place: place ?? free, version, given });
    }
  }
}
for (const { place, version, given } of wanted) {
  lock.packages[place] = entry(nameAt(place), version, given);
}
// npm sorts so; keeping its order keeps later differences small.
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en")),
);
writeFileSync(join(root, "package-lock.json"), `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${wanted.length} entries completed.`);
