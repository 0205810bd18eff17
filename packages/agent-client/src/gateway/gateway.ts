import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Json, json, parse, parseStrict } from "@countersign/shared";
import * as z from "zod/mini";
import { type Clock, systemClock } from "../clock.js";
import type { Described, ToolCall } from "../gate/executor.js";
import { atDepth } from "../gate/perform.js";
import type { RunOptions } from "../gate/run.js";
import { covers, createGrants, type Grant, type Grants } from "./grants.js";

export interface GatewayOptions {
  /** Every use of a token goes through it. */
  gate: { run(call: ToolCall, options: RunOptions): Promise<{ status: string }> };
  clock?: Clock;
}

/** Where sub-processes ask: `POST /call` on a Unix socket, `Authorization: Bearer <token>`, `{tool, args}` as JSON. */
export interface Gateway {
  socket: string;
  /** The socket's own directory, for a sandbox that is to reach it (`readable`). */
  directory: string;
  /** @throws ClientError `invalid_options` */
  grant(grant: Grant): string;
  revoke(token: string): void;
  close(): Promise<void>;
}

const maxBodyBytes = 1024 * 1024;
const call = z.strictObject({ tool: z.string(), args: json });

interface Answer {
  status: number;
  body: object;
}

/** Opens the socket, in a directory that only this user can enter. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const grants = createGrants(options.clock ?? systemClock);
  const directory = await mkdtemp(join(tmpdir(), "countersign-"));
  const socket = join(directory, "gate.sock");
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    answerTo(options, grants, request, gone.signal).then(
      (answer) => write(response, answer),
      () => write(response, refusal(500, "failed")),
    );
  });
  server.listen(socket);
  await once(server, "listening");
  return {
    socket,
    directory,
    grant: grants.add,
    revoke: grants.revoke,
    async close() {
      server.close();
      server.closeAllConnections();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const refusal = (status: number, code: string): Answer => ({ status, body: { code } });

function write(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify(body));
}

async function answerTo(
  { gate }: GatewayOptions,
  grants: Grants,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<Answer> {
  if (request.method !== "POST" || request.url !== "/call") return refusal(404, "not_found");
  const [, token = ""] = /^Bearer ([\w-]+)$/.exec(request.headers.authorization ?? "") ?? [];
  const asked = await readCall(request);
  const use = grants.use(token);
  if (!use.ok) return refusal(use.code === "rate_limited" ? 429 : 401, use.code);
  if (!asked) return refusal(400, "invalid_call");
  if (!use.grant.tools.includes(asked.tool)) return refusal(403, "not_granted");
  const within = (described: Described): boolean => covers(use.grant, touchedBy(described));
  const outcome = await atDepth(use.depth, () => gate.run(asked, { signal, within }));
  const outside =
    outcome.status === "refused_by_policy" && "code" in outcome && outcome.code === "not_granted";
  return outside ? refusal(403, "not_granted") : { status: 200, body: told(outcome) };
}

/** A copy or move touches two places. */
function touchedBy({ resource, context }: Described): string[] {
  const { from, to } = context;
  return [resource.id, from, to].filter((id) => typeof id === "string");
}

/** What came of it, without what only the agent may know. */
const told = (outcome: object): object =>
  Object.fromEntries(
    Object.entries(outcome).filter(([name]) =>
      ["status", "outcome", "value", "code"].includes(name),
    ),
  );

async function readCall(request: IncomingMessage): Promise<ToolCall | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > maxBodyBytes) return undefined;
    chunks.push(chunk as Buffer);
  }
  try {
    const given: Json = parseStrict(new Uint8Array(Buffer.concat(chunks)));
    return parse(call, given);
  } catch {
    return undefined;
  }
}
