// Run by hand after every change of a dependency: `npm install && node scripts/complete-lockfile.mjs`.
//
// A registry mirror that carries no binaries for other systems makes npm leave them out of package-lock.json. `npm ci` then
// refuses the lockfile, and an install on another system would miss its binaries. An entry with a version, and no address,
// is enough for npm to fetch the right one there.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const path = fileURLToPath(new URL("../package-lock.json", import.meta.url));
const lock = JSON.parse(readFileSync(path, "utf8"));

const systems = { windows: "win32" };
const systemPattern =
  /(android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|aix|win32|windows)/;
const cpus = { 64: "x64" };
const cpuPattern = /-(arm64|arm|x64|64|ia32|ppc64|riscv64|s390x|loong64)(?=-|$)/;

/** What the platform package of that name says in its own package.json, by the naming custom that all of them follow. */
function entry(name, version) {
  const [, system] = systemPattern.exec(name) ?? [];
  const [, cpu] = cpuPattern.exec(name) ?? [];
  if (!system || !cpu) {
    throw new Error(
      `${name}@${version} is missing from the lockfile, and its name tells no platform: install it once.`,
    );
  }
  const libc = /musl/.test(name)
    ? ["musl"]
    : /-gnu/.test(name) && system === "linux"
      ? ["glibc"]
      : undefined;
  return {
    version,
    cpu: [cpus[cpu] ?? cpu],
    ...(libc && { libc }),
    optional: true,
    os: [systems[system] ?? system],
  };
}

/** Node's own lookup: the package's node_modules, then each one above. */
function isLocked(from, name) {
  for (
    let folder = from;
    ;
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))
  ) {
    if (lock.packages[`${folder}/node_modules/${name}`.replace(/^\//, "")]) {
      return true;
    }
    if (folder === "") {
      return false;
    }
  }
}

let added = 0;
for (const [from, { optionalDependencies = {} }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    // A range has to be resolved by npm; platform packages are always pinned by the package that they belong to.
    if (/^\d/.test(version) && !isLocked(from, name)) {
      const place = lock.packages[`node_modules/${name}`]
        ? `${from}/node_modules/${name}`
        : `node_modules/${name}`;
      lock.packages[place] = entry(name, version);
      added += 1;
    }
  }
}
// npm sorts so; keeping its order keeps later differences small.
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en")),
);
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} entries added.`);
