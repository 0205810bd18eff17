import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { webApp } from "./web-app.js";

const text = "<!doctype html><title>Countersign</title>".repeat(20);
let directory: string;
let app: ReturnType<typeof webApp>;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "countersign-web-"));
  writeFileSync(join(directory, "index.html"), text);
  writeFileSync(join(directory, "index.html.br"), brotliCompressSync(text));
  writeFileSync(join(directory, "index.html.gz"), gzipSync(text));
  writeFileSync(join(directory, "icon.png"), "png");
  app = webApp(directory);
});
afterAll(() => rmSync(directory, { recursive: true }));

async function get(path: string, accepted?: string) {
  const headers: Record<string, string> =
    accepted === undefined ? {} : { "accept-encoding": accepted };
  const answer = await app.request(path, { headers });
  return { answer, body: Buffer.from(await answer.arrayBuffer()) };
}

const decoders: Record<string, (bytes: Buffer) => Buffer> = {
  br: brotliDecompressSync,
  gzip: gunzipSync,
};

describe("the web app", () => {
  it.each([
    ["gzip, deflate, br, zstd", "br"],
    ["gzip;q=1.0, br;q=0", "gzip"],
    ["GZIP", "gzip"],
    ["br ; q=0.5", "br"],
    ["deflate", null],
    ["", null],
    [undefined, null],
  ])("comes in the smallest form that the reader takes: %s", async (accepted, encoding) => {
    const { answer, body } = await get("/requests/1", accepted);
    expect(answer.headers.get("content-encoding")).toBe(encoding);
    expect((decoders[encoding ?? ""]?.(body) ?? body).toString()).toBe(text);
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  it("tells caches that its form depends on the reader, in every form", async () => {
    for (const accepted of ["br", "gzip", ""]) {
      const { answer } = await get("/", accepted);
      expect(answer.headers.get("vary")).toBe("accept-encoding");
      expect(answer.headers.get("cache-control")).toBe("no-cache");
    }
    expect((await get("/icon.png", "br")).answer.headers.get("vary")).toBeNull();
  });

  it("has no address for a compressed form by itself", async () => {
    expect((await get("/index.html.br")).answer.status).toBe(404);
    expect((await get("/index.html.gz")).answer.status).toBe(404);
  });
});
