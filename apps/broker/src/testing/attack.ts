import { request as httpRequest } from "node:http";
import {
  type Bytes,
  concat,
  type ErrorCode,
  errorTable,
  fromBase64url,
  nonceCommitment,
  type PairingOffer,
  pairingId,
  pairingLink,
  randomBytes,
  randomId,
  signPairingOffer,
  toBase64url,
  utf8,
} from "@countersign/shared";
import type { SoftAgent } from "@countersign/test-kit/soft-agent";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";
import { openSql, type Sql } from "@countersign/test-kit/sql";
import { CompactSign, SignJWT } from "jose";
import { expect } from "vitest";
import type { Logger } from "../domain/ports.js";
import type { RunningBroker } from "../start.js";
import { pairedWorld, startTestBroker, type TestBroker } from "./harness.js";

// What an attacker of the tests has: the wire, the database, whatever keys and sessions a test grants.

export type { Sql };

export interface World {
  broker: TestBroker;
  phone: SoftPhone;
  agent: SoftAgent;
  sql: Sql;
  /** Every line that the broker logged, as text. */
  logged: string[];
  close(): Promise<void>;
}

/** A broker with one approver, one agent and an open database. Callers behind `127.0.0.1` choose their address. */
export async function attackedWorld(): Promise<World> {
  const { log, logged } = collectingLogger();
  const broker = await startTestBroker({ log, trustedProxies: "127.0.0.1,::1" });
  const { phone, agent } = await pairedWorld(broker);
  const sql = openDatabase(broker);
  const close = async (): Promise<void> => {
    await sql.end();
    await broker.drop();
  };
  return { broker, phone, agent, sql, logged, close };
}

/** A broker in its place, on the same database and port, with nobody's calls counted. */
export async function startAfresh({ broker, sql }: World): Promise<void> {
  await broker.stop();
  await sql`truncate rate_bucket`;
  const { port } = new URL(broker.site.origin);
  const again = await startTestBroker({ databaseUrl: broker.databaseUrl, port: Number(port) });
  broker.stop = again.stop;
}

export const openDatabase = ({ databaseUrl }: TestBroker): Sql => openSql(databaseUrl);

/** Everything an error carries, as a logger that prints all of it would. */
export function collectingLogger(): { log: Logger; logged: string[] } {
  const logged: string[] = [];
  const spell = (value: unknown): unknown =>
    value instanceof Error
      ? { ...value, message: value.message, stack: value.stack, cause: spell(value.cause) }
      : value;
  const write = (fields: Record<string, unknown>, message: string): void => {
    const entries = Object.entries(fields).map(([name, value]) => [name, spell(value)]);
    logged.push(`${message} ${JSON.stringify(Object.fromEntries(entries))}`);
  };
  return { log: { debug: write, info: write, warn: write, error: write }, logged };
}

/** A refusal has one of two shapes, and a code and status of the one table. @returns its code */
export async function refusalOf(answer: Response | Promise<Response>): Promise<ErrorCode> {
  const response = await answer;
  const text = await response.text();
  expect(response.status, text).toBeGreaterThanOrEqual(400);
  const body = JSON.parse(text === "" ? `{"code":"no body, ${response.status}"}` : text) as {
    code: ErrorCode;
    error?: string;
    status?: number;
  };
  expect(errorTable).toHaveProperty(body.code);
  expect(response.headers.get("cache-control")).toBe("no-store");
  if (body.error === undefined) {
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect([response.status, body.status]).toEqual([
      errorTable[body.code][0],
      errorTable[body.code][0],
    ]);
  } else {
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(body).toHaveProperty("error_description");
  }
  return body.code;
}

/** The code that a soft phone's call was refused with; the code of the table or "accepted". */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "accepted",
    (error: { code?: string }) => error.code ?? String(error),
  );
}

/** The same text with one bit of one of its bytes changed, in its canonical spelling. */
export function flip(text: string, position: number): string {
  const bytes = fromBase64url(text);
  bytes[position] = (bytes[position] ?? 0) ^ 0x01;
  return toBase64url(bytes);
}

/** Positions over the whole of a base64url text, first and last byte among them. */
export function positions(text: string, count: number): number[] {
  const last = fromBase64url(text).length - 1;
  const spread = Array.from({ length: count }, (_, index) =>
    Math.round((index * last) / (count - 1)),
  );
  return [...new Set(spread)];
}

export interface Offer {
  id: string;
  secret: Bytes;
  nonce: Bytes;
  jws: string;
  link: string;
}

/** An offer of this agent's, signed and not sent. */
export async function offerOf(
  agent: SoftAgent,
  issuer: string,
  claims: Partial<PairingOffer> = {},
): Promise<Offer> {
  const secret = randomBytes(32);
  const nonce = randomBytes(32);
  const id = pairingId(secret);
  const now = Math.floor(Date.now() / 1000);
  const offer: PairingOffer = {
    pairing_id: id,
    agent_jwk: agent.jwk,
    name: "soft agent",
    host: "test-host",
    commit: nonceCommitment(nonce),
    iss: agent.clientId,
    aud: issuer,
    iat: now,
    exp: now + 600,
    ...claims,
  };
  const jws = await signPairingOffer(offer, agent.key);
  return { id, secret, nonce, jws, link: pairingLink(issuer, secret, agent.clientId) };
}

/** An offer that the broker has. */
export async function offered(agent: SoftAgent, issuer: string): Promise<Offer> {
  const offer = await offerOf(agent, issuer);
  const response = await agent.call("POST", "/v1/pairings", { offer: offer.jws });
  expect(response.status).toBe(201);
  return offer;
}

/** A phone whose next call to a path is kept from the wire, for a test to send as it likes. */
export async function interceptedPhone(broker: RunningBroker) {
  let watched: { path: string; keep(body: unknown): void } | undefined;
  const phone = await createSoftPhone({
    origin: broker.site.origin,
    fetch: async (input, init) => {
      const path = new URL(String(input)).pathname;
      if (!watched || !path.endsWith(watched.path) || init?.method !== "POST") {
        return fetch(input, init);
      }
      watched.keep(JSON.parse(String(init.body)));
      watched = undefined;
      throw new Intercepted();
    },
  });
  return {
    phone,
    /** The body that `act` would have posted to the path. */
    async intercept<T>(path: string, act: () => Promise<unknown>): Promise<T> {
      const kept = new Promise<unknown>((keep) => {
        watched = { path, keep };
      });
      await act().catch((error: unknown) => {
        if (!(error instanceof Intercepted)) throw error;
      });
      return (await kept) as T;
    },
  };
}

class Intercepted extends Error {}

/** A JWT by this agent's key, whatever it says. */
export const jwtBy = (
  key: CryptoKey,
  header: Record<string, unknown>,
  claims: Record<string, unknown>,
): Promise<string> =>
  new SignJWT({ jti: randomId(), iat: Math.floor(Date.now() / 1000), ...claims })
    .setProtectedHeader({ alg: "ES256", ...header })
    .sign(key);

/** A correct signature over exactly these octets. */
export const jwsOver = (
  payload: Bytes,
  header: Record<string, unknown>,
  key: CryptoKey,
): Promise<string> =>
  new CompactSign(payload).setProtectedHeader({ alg: "ES256", ...header }).sign(key);

/** A compact JWS put together by hand: any header text, any payload, a signature of the right length. */
export const handmadeJws = (header: string, payload: Uint8Array): string =>
  [utf8(header), payload, concat(randomBytes(64))].map(toBase64url).join(".");

/** A call whose Host, target and headers are exactly these, which fetch would not send. */
export function rawCall(
  origin: string,
  options: { method?: string; path: string; headers?: Record<string, string>; body?: string },
): Promise<Response> {
  const { hostname, port } = new URL(origin);
  const { method = "GET", path, headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const sent = { ...length, ...headers };
    const call = httpRequest({ hostname, port, method, path, headers: sent }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("error", reject);
      answer.on("end", () => {
        const status = answer.statusCode ?? 0;
        const text = Buffer.concat(parts).toString();
        const given = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
        const bodyless = [204, 304].includes(status);
        resolve(
          new Response(bodyless ? null : text, {
            status,
            headers: given as [string, string][],
          }),
        );
      });
    });
    call.on("error", reject);
    call.end(body);
  });
}
