import { setTimeout as sleep } from "node:timers/promises";
import { type Decision, ProtocolError, type RequestState } from "@countersign/shared";
import type { BrokerProcess } from "@countersign/test-kit/broker-process";
import { fetchVia } from "@countersign/test-kit/fetch-via";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";

/** What the broker acknowledged, by request id: all of this must still be there afterwards. */
export interface Ledger {
  requested: Set<string>;
  approved: Set<string>;
  denied: Set<string>;
  redeemed: Set<string>;
  reported: Set<string>;
  /** Calls that failed while something was away, by what they got. */
  failures: Map<string, number>;
  calls: number;
  slowestCallMilliseconds: number;
  /** From a call's first try to its success. */
  longestWaitMilliseconds: number;
}

export const newLedger = (): Ledger => ({
  requested: new Set(),
  approved: new Set(),
  denied: new Set(),
  redeemed: new Set(),
  reported: new Set(),
  failures: new Map(),
  calls: 0,
  slowestCallMilliseconds: 0,
  longestWaitMilliseconds: 0,
});

/** A broker that was away answers again long before this; after it, the test has failed. */
const patienceMilliseconds = 25_000;

/** An agent and the person who answers it. */
export interface Writer {
  agent: SoftAgent;
  phone: SoftPhone;
}

/** Each with an approver and addresses of its own, so that a fast machine stays within what one of them may call. */
export async function startWriters(
  { origin, firstInvitation }: BrokerProcess,
  count: number,
): Promise<Writer[]> {
  const writers: Writer[] = [];
  const send = fetchVia(() => Number(new URL(origin).port));
  let invitation = firstInvitation ?? "";
  while (writers.length < count) {
    const number = writers.length + 1;
    const phone = await createSoftPhone({ origin, fetch: from(`10.0.0.${number}`, send) });
    await phone.enrol(invitation, `Approver ${number}`);
    const agent = await createSoftAgent({ origin, fetch: from(`10.1.0.${number}`, send) });
    await agent.pairWith(phone);
    writers.push({ agent, phone });
    invitation = await phone.invite();
  }
  return writers;
}

/** Calls from an address of the caller's own, where the broker trusts what stands before it (`TRUSTED_PROXIES`). */
export const from =
  (address: string, send = fetch): typeof fetch =>
  (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set("x-forwarded-for", address);
    return send(input, { ...init, headers });
  };

/**
 * One agent's requests, one after the other, each carried to its end however often a call has to be repeated.
 * @param turn resolves when the next one may begin
 */
export async function keepAsking(
  { agent, phone }: Writer,
  ledger: Ledger,
  isOver: () => boolean,
  turn: () => Promise<void> = async () => {},
): Promise<void> {
  for (let count = 0; !isOver(); count++) {
    await turn();
    await carryOne({ agent, phone }, ledger, count % 4 === 3);
  }
}

/** Turns for any number of askers, so many a second and no more. */
export function turnsPerSecond(perSecond: number): () => Promise<void> {
  const began = performance.now();
  let turns = 0;
  return async () => {
    // Who could not keep up does not catch up by a crowd.
    turns = Math.max(turns + 1, Math.floor(((performance.now() - began) / 1000) * perSecond) - 1);
    const at = began + (turns / perSecond) * 1000;
    await sleep(Math.max(0, at - performance.now()));
  };
}

/** One request to its end: asked, answered, redeemed, reported. */
export async function carryOne(
  { agent, phone }: Writer,
  ledger: Ledger,
  denies: boolean,
): Promise<void> {
  const request = await agent.prepare();
  const { rid } = request;
  await until(ledger, async () => ok(await agent.upload(request)));
  await until(ledger, async () => ok(await agent.authorize(request)));
  ledger.requested.add(rid);

  const state = await answer(phone, rid, ledger, denies);
  (denies ? ledger.denied : ledger.approved).add(rid);
  if (state !== (denies ? "denied" : "approved")) throw new Error(`${rid} is ${state}`);

  const idempotencyKey = crypto.randomUUID();
  const found = await until(ledger, () => polled(agent, rid, idempotencyKey));
  if (denies) {
    if (found["error"] !== "access_denied") throw new Error(`${rid}: ${JSON.stringify(found)}`);
    return;
  }
  if (!found["evidence"]) throw new Error(`${rid}: ${JSON.stringify(found)}`);
  ledger.redeemed.add(rid);
  const outcome = await agent.outcomeOf(request);
  const path = `/v1/requests/${rid}/outcome`;
  await until(ledger, async () => ok(await agent.call("POST", path, { outcome })));
  ledger.reported.add(rid);
}

/** Signed once and sent until it is taken; signed anew only where the review was opened anew meanwhile. */
async function answer(
  phone: SoftPhone,
  rid: string,
  ledger: Ledger,
  denies: boolean,
): Promise<RequestState> {
  const decision = await until<Decision>(ledger, () =>
    denies ? phone.signDenial(rid) : phone.signApproval(rid),
  );
  try {
    return await until(ledger, () => phone.decide(rid, decision));
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code !== "ceremony_stale") throw error;
    return answer(phone, rid, ledger, denies);
  }
}

/** What an agent's poll found. @throws Refused while nobody can say */
export async function polled(
  agent: SoftAgent,
  rid: string,
  idempotencyKey: string,
): Promise<Record<string, unknown>> {
  const { status, body } = await agent.poll(rid, { idempotencyKey });
  if (status >= 500) throw new Refused(status, String(body["code"]));
  return body;
}

/** Any answer but a yes, by its code. */
class Refused extends Error {
  override readonly name = "Refused";

  constructor(status: number, code: string) {
    super(`${status} ${code}`);
  }
}

/** @throws Refused unless the answer is a yes */
export async function ok(response: Response): Promise<void> {
  if (response.ok) return;
  const text = await response.text();
  const code = /"code":"(\w+)"/.exec(text)?.[1] ?? "none";
  throw new Refused(response.status, code);
}

/** Repeats a call for as long as the broker, or what it stands on, is away. */
export async function until<T>(ledger: Ledger, call: () => Promise<T>): Promise<T> {
  const first = performance.now();
  const deadline = first + patienceMilliseconds;
  for (;;) {
    const began = performance.now();
    ledger.calls += 1;
    try {
      const answer = await call();
      const wait = performance.now() - first;
      ledger.longestWaitMilliseconds = Math.max(ledger.longestWaitMilliseconds, wait);
      return answer;
    } catch (error) {
      if (!isPassing(error) || performance.now() > deadline) throw error;
      const name = error instanceof ProtocolError ? `503 ${error.code}` : String(error);
      ledger.failures.set(name, (ledger.failures.get(name) ?? 0) + 1);
      await sleep(50);
    } finally {
      const took = performance.now() - began;
      ledger.slowestCallMilliseconds = Math.max(ledger.slowestCallMilliseconds, took);
    }
  }
}

/** The connection broke, or the answer was "not now". Everything else is a finding. */
function isPassing(error: unknown): boolean {
  const notNow = ["unavailable", "slow_down"];
  if (error instanceof ProtocolError) return notNow.includes(error.code);
  if (error instanceof Refused) return notNow.some((code) => error.message.endsWith(code));
  return error instanceof TypeError && error.message === "fetch failed";
}
