import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { HttpClient } from "../load/http.js";
import { ownRequestOf, pinOf, readEvidence, requireApproval } from "./agent.js";
import type { Pair } from "./pairs.js";
import { ask, decide, poll, prepareRequest, sign } from "./request.js";

/** Until a poll that was sent is one that waits. */
const settleMilliseconds = 40;

/**
 * From the phone's posting of a decision until the agent holds evidence that it has verified.
 * @param at where the phone and where the agent speak to a broker
 * @returns milliseconds
 */
export async function decisionToEvidence(
  pair: Pair,
  token: string,
  at: { phone: HttpClient; agent: HttpClient },
): Promise<number> {
  const request = await prepareRequest(pair, token);
  const reqNonce = await ask(at.agent, request);
  const own = ownRequestOf(request, reqNonce);
  const pin = pinOf(pair);
  const decision = await sign(at.phone, request, reqNonce);
  const answer = poll(at.agent, request);
  await sleep(settleMilliseconds);
  const began = performance.now();
  const decided = decide(at.phone, request, decision);
  await requireApproval(readEvidence(await answer), own, pin);
  const took = performance.now() - began;
  await decided;
  return took;
}

export interface BareWakeup {
  /** One durable UPDATE with a NOTIFY in it, until the listener's callback. @returns milliseconds */
  once(): Promise<number>;
  close(): Promise<void>;
}

/** The least that a durable decision and a wake-up by the same database can cost. */
export async function createBareWakeup(databaseUrl: string): Promise<BareWakeup> {
  const client = new pg.Client(databaseUrl);
  const listener = new pg.Client(databaseUrl);
  await Promise.all([client.connect(), listener.connect()]);
  await client.query(`create table bare_decision (id int primary key, state int not null);
    insert into bare_decision values (1, 0)`);
  let wake = (): void => {};
  listener.on("notification", () => wake());
  await listener.query("listen bare_decision");
  const decision = {
    name: "decision",
    text: `with changed as (update bare_decision set state = state + 1 where id = 1 returning id)
      select pg_notify('bare_decision', '') from changed`,
  };
  return {
    async once() {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const began = performance.now();
      const changed = client.query(decision);
      await woken;
      const took = performance.now() - began;
      await changed;
      return took;
    },
    close: async () => {
      await Promise.all([client.end(), listener.end()]);
    },
  };
}
