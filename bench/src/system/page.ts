import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CDPSession, Page } from "playwright-core";
import { build } from "vite";

const source = fileURLToPath(new URL("../peers/page", import.meta.url));
const types: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".png": "image/png",
};

export interface BarePage {
  origin: string;
  close(): void;
}

/** The bare Preact page, built as ours is, with a text and a picture to show. */
export async function serveBarePage(
  rows: readonly string[],
  picture: Uint8Array,
  outDir: string,
): Promise<BarePage> {
  await build({
    root: source,
    configFile: false,
    logLevel: "error",
    build: { outDir, emptyOutDir: true, target: "chrome120", modulePreload: false },
  });
  const files = new Map<string, Uint8Array>([
    ["/picture.png", picture],
    ["/text.json", Buffer.from(JSON.stringify({ rows }))],
  ]);
  for (const name of await readdir(outDir, { recursive: true })) {
    if (extname(name)) files.set(`/${name}`, await readFile(join(outDir, name)));
  }
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url === "/" ? "/index.html" : (incoming.url ?? "");
    const file = files.get(path);
    outgoing.writeHead(file ? 200 : 404, { "content-type": types[extname(path)] ?? "text/plain" });
    outgoing.end(file);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return { origin: `http://localhost:${port}`, close: () => server.close() };
}

/** A cheap phone on a poor line: 4 times slower, 1.6 Mbit/s, 150 ms. */
export async function slowDown(cdp: CDPSession): Promise<void> {
  const bytesPerSecond = (1.6 * 1024 * 1024) / 8;
  await cdp.send("Network.enable");
  await cdp.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 150,
    downloadThroughput: bytesPerSecond,
    uploadThroughput: bytesPerSecond,
  });
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: 4 });
}

export interface Shown {
  /** Milliseconds from the navigation on. */
  text: number;
  picture: number;
}

/** Goes there, and waits until a text and a picture stand on the screen. */
export async function timeToShow(page: Page, url: string, text: string): Promise<Shown> {
  await page.goto(url, { waitUntil: "commit" });
  const shown = await page.waitForFunction(
    (wanted) => {
      const seen = window as unknown as { seen?: { text?: number; picture?: number } };
      seen.seen ??= {};
      if (document.body?.textContent.includes(wanted)) seen.seen.text ??= performance.now();
      const drawn = [...document.images].some(
        (image) => image.complete && image.naturalWidth > 200,
      );
      if (drawn) seen.seen.picture ??= performance.now();
      return seen.seen.text !== undefined && seen.seen.picture !== undefined ? seen.seen : false;
    },
    text,
    { polling: "raf", timeout: 60_000 },
  );
  return (await shown.jsonValue()) as Shown;
}
