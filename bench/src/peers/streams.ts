import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import type { HttpEnv } from "../../../apps/broker/src/http/context.js";
import { createEnding } from "../../../apps/broker/src/http/ending.js";
import { streamEvents } from "../../../apps/broker/src/http/sse.js";

// Servers of idle event streams, each as small as it can be: bare `node:http`, Hono's `streamSSE`, and the broker's
// own transport without a broker behind it. On a message "wake" each sends one event to everybody.

export type StreamKind = "bare" | "hono" | "ours";

const wakers = new Set<() => void>();
const event = 'event: request\ndata: {"rid":"AAAAAAAAAAAAAAAAAAAAAA","state":"approved"}\n\n';

function bare(_: unknown, outgoing: ServerResponse): void {
  outgoing.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  outgoing.write(": ready\n\n");
  const wake = () => outgoing.write(event);
  wakers.add(wake);
  outgoing.once("close", () => wakers.delete(wake));
}

const hono = new Hono<{ Bindings: HttpBindings }>().get("/*", (c) =>
  streamSSE(c, async (stream) => {
    await stream.write(": ready\n\n");
    await new Promise<void>((resolve) => {
      const wake = () => void stream.write(event);
      wakers.add(wake);
      stream.onAbort(() => {
        wakers.delete(wake);
        resolve();
      });
    });
  }),
);

const ending = createEnding();
const ours = new Hono<HttpEnv>().get("/*", (c) =>
  streamEvents(c, ending, (stream) => {
    const data = { rid: "AAAAAAAAAAAAAAAAAAAAAA", state: "approved" };
    const wake = () => stream.send({ event: "request", data });
    wakers.add(wake);
    return () => wakers.delete(wake);
  }),
);

const kind = JSON.parse(process.argv[2] ?? "{}") as StreamKind;
const port = JSON.parse(process.argv[3] ?? "0") as number;
const listener = kind === "bare" ? bare : getRequestListener((kind === "hono" ? hono : ours).fetch);
await once(createServer(listener).listen(port, "127.0.0.1"), "listening");
process.on("message", (message) => {
  if (message === "wake") for (const wake of wakers) wake();
  if (message === "collect") {
    globalThis.gc?.();
    process.send?.("collected");
  }
});
// Its parent has gone, however that happened.
process.on("disconnect", () => process.exit());
process.stdout.write("ready\n");
