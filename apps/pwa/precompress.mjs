import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

// The smallest forms of what the broker serves, made once here: they take seconds.
const dist = new URL("dist/", import.meta.url);

for (const name of readdirSync(dist, { recursive: true })) {
  if (!/\.(js|css|html|svg|webmanifest)$/.test(name)) continue;
  const bytes = readFileSync(new URL(name, dist));
  writeFileSync(new URL(`${name}.br`, dist), brotliCompressSync(bytes));
  writeFileSync(new URL(`${name}.gz`, dist), gzipSync(bytes, { level: 9 }));
}
