import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { Hono } from "hono";
import { accepts } from "./accepts.js";
import type { HttpEnv } from "./context.js";

const mediaTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml; charset=utf-8",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
};

/** Everything from this origin, nothing inline, no sink without the one Trusted Types policy. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "font-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types countersign",
].join("; ");

/** The service worker obeys what came with its script: it asks this origin for the app's files, and nothing else. */
const workerPolicy =
  "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'";

const policies: Record<string, string> = { ".html": contentSecurityPolicy, ".js": workerPolicy };

/** The build wrote these beside each text, best first. Nothing else is ever compressed: its length would tell of secrets. */
const encodings = { br: ".br", gzip: ".gz" } as const;

interface Asset {
  bytes: Uint8Array<ArrayBuffer>;
  encoded: Map<string, Uint8Array<ArrayBuffer>>;
  headers: Record<string, string>;
}

/**
 * Serves the built web app from memory: no path of a request ever reaches the file system. Any other path without
 * an extension is a screen of the app.
 */
export function webApp(directory: string): Hono<HttpEnv> {
  const assets = readAssets(directory);
  const shell = assets.get("/index.html");
  return new Hono<HttpEnv>().get("*", (c) => {
    const path = c.req.path;
    const isScreen = !/\.[a-z0-9]+$/i.test(path);
    const asset = assets.get(path) ?? (isScreen ? shell : undefined);
    if (!asset) return c.notFound();
    const accepted = c.req.header("accept-encoding");
    for (const [encoding, bytes] of asset.encoded) {
      if (!accepts(accepted, encoding)) continue;
      return c.body(bytes, 200, { ...asset.headers, "content-encoding": encoding });
    }
    return c.body(asset.bytes, 200, asset.headers);
  });
}

function readAssets(directory: string): Map<string, Asset> {
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile());
  const read = (path: string) => Uint8Array.from(readFileSync(path));
  return new Map(
    files
      .filter((path) => !Object.values(encodings).some((ending) => path.endsWith(ending)))
      .map((path) => {
        const name = `/${relative(directory, path).split(sep).join("/")}`;
        const encoded = new Map(
          Object.entries(encodings)
            .filter(([, ending]) => files.includes(path + ending))
            .map(([encoding, ending]) => [encoding, read(path + ending)]),
        );
        const vary = encoded.size > 0 ? { vary: "accept-encoding" } : {};
        return [name, { bytes: read(path), encoded, headers: { ...headersOf(name), ...vary } }];
      }),
  );
}

function headersOf(name: string): Record<string, string> {
  const extension = extname(name);
  const policy = policies[extension];
  // The build puts a hash into the names under /assets; everything else must be looked at again.
  const immutable = name.startsWith("/assets/");
  return {
    "content-type": mediaTypes[extension] ?? "application/octet-stream",
    "cache-control": immutable ? "public, max-age=31536000, immutable" : "no-cache",
    ...(policy === undefined ? {} : { "content-security-policy": policy }),
  };
}
