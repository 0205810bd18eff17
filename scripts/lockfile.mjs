// package-lock.json, read the way Node looks packages up.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** @param {string} folder where package-lock.json lies */
export function readLockfile(folder) {
  return JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
}

/** The name of the package at a place in the lockfile; undefined for a workspace. */
export const nameAt = (place) =>
  place.includes("node_modules/") ? place.split("node_modules/").at(-1) : undefined;

/** Node's own lookup: the package's node_modules, then each one above. @returns the place, if anything is there */
export function placeOf(packages, from, name) {
  for (
    let folder = from;
    ;
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))
  ) {
    const place = `${folder}/node_modules/${name}`.replace(/^\//, "");
    if (packages[place]) return place;
    if (folder === "") return undefined;
  }
}

/**
 * All that workspaces need to run, from their dependencies on down: places in the lockfile. `npm sbom` and its
 * `--omit=dev` follow the development dependencies of workspaces, and leave out what two workspaces share.
 */
export function runtimeClosure(packages, workspaces) {
  const places = new Set();
  const follow = (place) => {
    const { link, resolved } = packages[place];
    const real = link ? resolved : place;
    if (places.has(real)) return;
    places.add(real);
    const { dependencies = {}, optionalDependencies = {} } = packages[real];
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const found = placeOf(packages, real, name);
      if (found) follow(found);
      else if (!optionalDependencies[name]) throw new Error(`${name} of ${real} is not locked.`);
    }
  };
  workspaces.forEach(follow);
  return [...places].sort();
}

/** What is published, and the workspaces whose code is in it. */
export const published = {
  broker: ["apps/broker", "apps/pwa"],
  "agent-client": ["packages/agent-client", "packages/shared", "packages/egress"],
};
