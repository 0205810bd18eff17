import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

// What a phone has to load and run before it shows anything, and what the review adds to it.
const limitsKb = { firstLoad: 60, review: 90 };
const assets = new URL("dist/assets/", import.meta.url);

const sources = new Map(
  readdirSync(assets)
    .filter((name) => name.endsWith(".js"))
    .map((name) => [name, readFileSync(new URL(name, assets), "utf8")]),
);

/** A chunk and everything that it imports outright: what must arrive before it runs. */
function closure(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  const imports = (sources.get(name) ?? "").matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g);
  for (const [, imported] of imports) closure(imported, found);
  return found;
}

/** As they are served: see precompress.mjs. */
const gzip = (name) => gzipSync(sources.get(name) ?? "", { level: 9 });
const kb = (names) => [...names].reduce((sum, name) => sum + gzip(name).length, 0) / 1000;
const named = (prefix) => {
  const name = [...sources.keys()].find((key) => key.startsWith(prefix));
  if (!name) throw new Error(`The build has no chunk ${prefix}.`);
  return name;
};

const html = readFileSync(new URL("dist/index.html", import.meta.url), "utf8");
const entries = [...html.matchAll(/assets\/([^"]+\.js)"/g)].map(([, name]) => name);
const first = new Set(entries.flatMap((name) => [...closure(name)]));
const review = [...closure(named("review-screen"))].filter((name) => !first.has(name));

const measured = { firstLoad: kb(first), review: kb(review) };
for (const [what, limit] of Object.entries(limitsKb)) {
  const size = measured[what];
  process.stdout.write(`${what}: ${size.toFixed(1)} kB gzip of ${limit} kB\n`);
  if (size > limit) process.exitCode = 1;
}
