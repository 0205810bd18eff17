/// <reference path="./http-ece.d.ts" />
import { createECDH, type ECDH, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { Agent, createServer } from "node:https";
import type { AddressInfo, LookupFunction } from "node:net";
import type { Duplex } from "node:stream";
import { type PushMessage, parse, pushMessage } from "@countersign/shared";
import { decrypt } from "http_ece";
import { makeCertificate } from "./test-certificate.js";

const hostname = "push.test";

/** What the service answers: a status with headers, or what goes wrong instead of an answer. */
export type PushAnswer =
  | { status: number; headers?: Record<string, string> }
  | "hangs"
  | "never stops talking"
  | "hangs up";

export interface ReceivedPush {
  headers: IncomingHttpHeaders;
  /** As it came: encrypted. */
  body: Buffer;
  /** As the browser would get it. */
  text: string;
  message: PushMessage;
}

/** A browser's side of a subscription: its keys, and what was pushed to it. */
export interface TestSubscription {
  /** What the browser would post to its server. */
  json: { endpoint: string; keys: { p256dh: string; auth: string } };
  received: ReceivedPush[];
  /** The answers to the next pushes, in order; after them 201. */
  answers: PushAnswer[];
}

export interface PushService {
  /** The host, for an allow-list. */
  host: string;
  port: number;
  cert: string;
  /** Connections so far. */
  connections(): number;
  /** Opens connections to this service, whatever address its name has. */
  agent: Agent;
  newSubscription(): TestSubscription;
  close(): Promise<void>;
}

/** A push service (RFC 8030) on the loopback, over TLS, that decrypts what it is given as a browser would. */
export async function startPushService(): Promise<PushService> {
  const { key, cert } = makeCertificate([hostname]);
  const subscriptions = new Map<string, { subscription: TestSubscription; ecdh: ECDH }>();
  const sockets = new Set<Duplex>();
  let connections = 0;

  const server = createServer({ key, cert }, async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const found = subscriptions.get(request.url ?? "");
    if (!found) return void response.writeHead(404).end();
    const { subscription, ecdh } = found;
    const push = open(Buffer.concat(parts), ecdh, subscription.json.keys.auth);
    if (!push) return void response.writeHead(400).end();
    subscription.received.push({ headers: request.headers, ...push });
    answer(response, subscription.answers.shift() ?? { status: 201 });
  });
  server.on("connection", (socket) => {
    connections++;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    host: `${hostname}:${port}`,
    port,
    cert,
    connections: () => connections,
    agent: agentFor(cert),
    newSubscription() {
      const ecdh = createECDH("prime256v1");
      const path = `/send/${randomBytes(12).toString("base64url")}`;
      const subscription: TestSubscription = {
        json: {
          endpoint: `https://${hostname}:${port}${path}`,
          keys: {
            p256dh: ecdh.generateKeys("base64url"),
            auth: randomBytes(16).toString("base64url"),
          },
        },
        received: [],
        answers: [],
      };
      subscriptions.set(path, { subscription, ecdh });
      return subscription;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** @returns undefined for what this subscription's browser could not open or would not understand */
function open(
  body: Buffer,
  privateKey: ECDH,
  authSecret: string,
): Pick<ReceivedPush, "body" | "text" | "message"> | undefined {
  try {
    const text = decrypt(body, { version: "aes128gcm", privateKey, authSecret }).toString();
    return { body, text, message: parse(pushMessage, JSON.parse(text)) };
  } catch {
    return undefined;
  }
}

/** Connects to the loopback for any name, and trusts one certificate. */
export function agentFor(cert: string): Agent {
  const lookup: LookupFunction = (_hostname, options, callback) => {
    if (options.all) callback(null, [{ address: "127.0.0.1", family: 4 }]);
    else callback(null, "127.0.0.1", 4);
  };
  return new Agent({ keepAlive: true, lookup, ca: cert });
}

function answer(response: ServerResponse, given: PushAnswer): void {
  if (given === "hangs") return;
  if (given === "hangs up") return void response.destroy();
  if (given === "never stops talking") {
    response.writeHead(201);
    const talk = () => {
      while (response.write(Buffer.alloc(65_536)));
    };
    response.on("drain", talk);
    talk();
    return;
  }
  response.writeHead(given.status, given.headers).end();
}
