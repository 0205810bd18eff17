// `npm run sbom`: what is in each published part, as CycloneDX 1.6, into sbom/.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./bootstrap.mjs";
import { nameAt, placeOf, published, readLockfile, runtimeClosure } from "./lockfile.mjs";

const { packages } = readLockfile(root);

const nameOf = (place) => nameAt(place) ?? packages[place].name;
const purlOf = (place) => `pkg:npm/${nameOf(place).replace("@", "%40")}@${packages[place].version}`;
const idOf = (place) => `${purlOf(place)}#${place}`;

function componentOf(place) {
  const { version, license, integrity, optional, dev } = packages[place];
  const [group, name] = nameOf(place).startsWith("@")
    ? nameOf(place).split("/")
    : [undefined, nameOf(place)];
  return {
    type: "library",
    "bom-ref": idOf(place),
    ...(group && { group }),
    name,
    version,
    scope: optional && !dev ? "optional" : "required",
    ...(integrity && {
      hashes: [
        { alg: "SHA-512", content: Buffer.from(integrity.split("-")[1], "base64").toString("hex") },
      ],
    }),
    ...(license && {
      licenses: [
        / (?:AND|OR) /.test(license) ? { expression: license } : { license: { id: license } },
      ],
    }),
    purl: purlOf(place),
  };
}

function edgesOf(place, places) {
  const { dependencies = {}, optionalDependencies = {} } = packages[place];
  const found = Object.keys({ ...dependencies, ...optionalDependencies }).flatMap((name) => {
    const at = placeOf(packages, place, name);
    const real = at && packages[at].link ? packages[at].resolved : at;
    return real && places.includes(real) ? [idOf(real)] : [];
  });
  return { ref: idOf(place), dependsOn: found };
}

mkdirSync(join(root, "sbom"), { recursive: true });
for (const [part, workspaces] of Object.entries(published)) {
  const places = runtimeClosure(packages, workspaces);
  const [main] = workspaces;
  const bom = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { ...componentOf(main), type: "application" } },
    components: places.filter((place) => place !== main).map(componentOf),
    dependencies: places.map((place) => edgesOf(place, places)),
  };
  const path = join("sbom", `${part}.cdx.json`);
  writeFileSync(join(root, path), `${JSON.stringify(bom, null, 2)}\n`);
  console.log(`${path}: ${bom.components.length} components`);
}
