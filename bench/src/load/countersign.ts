import { type Pair, seedPairs } from "../system/pairs.js";
import {
  ask,
  clientToken,
  decide,
  look,
  type PreparedRequest,
  poll,
  prepareRequest,
  report,
  sign,
} from "../system/request.js";
import type { Load, LoadOptions } from "./api.js";
import { createHttpClient, type HttpClient } from "./http.js";

/**
 * Whole red cycles, as agent and phone really send them, eight calls each: context, request, detail, ciphertext,
 * ceremony, decision, token, outcome. With several brokers each call goes to the next one.
 */
export async function openCountersign(options: LoadOptions): Promise<Load> {
  const { origin = "", ports = [], databaseUrl = "", pairs: count = 1 } = options;
  const pairs = await seedPairs(databaseUrl, origin, count);
  const clients = ports.map((port) => createHttpClient(origin, port, 64));
  let calls = 0;
  const next = (): HttpClient => clients[calls++ % clients.length] as HttpClient;
  const [first] = clients as [HttpClient];

  // Tokens are asked for once; then every pair takes its turn, so that nobody nears a limit.
  const tokens = new Map<Pair, string>();
  for (const pair of pairs) tokens.set(pair, await clientToken(pair, first));
  let turn = 0;
  const prepared: PreparedRequest[] = [];

  return {
    pids: options.pids ?? [],
    async prepare(wanted) {
      while (prepared.length < wanted) {
        const pair = pairs[turn++ % pairs.length] as Pair;
        prepared.push(await prepareRequest(pair, tokens.get(pair) ?? ""));
      }
    },
    async one() {
      const request = prepared.shift();
      if (!request) throw new Error("nothing is prepared");
      const reqNonce = await ask(next(), request);
      await look(next(), request);
      const decision = await sign(next(), request, reqNonce);
      await decide(next(), request, decision);
      await poll(next(), request);
      await report(next(), request);
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}
