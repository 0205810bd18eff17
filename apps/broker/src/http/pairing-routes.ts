import { bytes32, pairingRequest, pairingReveal, pairingState, parse } from "@countersign/shared";
import { Hono } from "hono";
import * as z from "zod/mini";
import type { Broker } from "../broker.js";
import { limits } from "../domain/limits.js";
import { topics } from "../domain/ports.js";
import {
  confirm,
  endByAgent,
  type KeyHolder,
  offerPairing,
  readForAgent,
  reveal,
} from "../pairing.js";
import { authenticateKey } from "./agent-auth.js";
import { type HttpContext, type HttpEnv, readJson } from "./context.js";
import type { RateLimits } from "./limits.js";
import { longPoll } from "./wait.js";

const afterState = z.optional(pairingState);

/** Reads a pairing, or waits until it is in another state than the caller knows (`?after=`). */
export function pollPairing<T extends { state: string }>(
  broker: Broker,
  c: HttpContext,
  pairingId: string,
  read: () => Promise<T>,
): Promise<T> {
  const after = parse(afterState, c.req.query("after"));
  const milliseconds = after === undefined ? 0 : limits.longPollSeconds * 1000;
  return longPoll(
    broker,
    topics.pairing(pairingId),
    c.req.raw.signal,
    milliseconds,
    read,
    ({ state }) => state !== after,
  );
}

/** `/v1/pairings` for whoever holds an agent's key: nobody is known here yet. */
export function pairingRoutes(broker: Broker, rates: RateLimits): Hono<HttpEnv> {
  const holderOf = async (c: HttpContext): Promise<KeyHolder> => {
    await rates.pairing(c.get("clientAddress"));
    return authenticateKey(broker, c);
  };
  const idOf = (c: HttpContext): string => parse(bytes32, c.req.param("id"));

  return new Hono<HttpEnv>()
    .post("/", async (c) => {
      const holder = await holderOf(c);
      const { offer } = await readJson(c, pairingRequest);
      return c.json(await offerPairing(broker, holder, offer), 201);
    })
    .get("/:id", async (c) => {
      const holder = await holderOf(c);
      return c.json(
        await pollPairing(broker, c, idOf(c), () => readForAgent(broker, holder, idOf(c))),
      );
    })
    .post("/:id/reveal", async (c) => {
      const holder = await holderOf(c);
      const { nonce } = await readJson(c, pairingReveal);
      return c.json(await reveal(broker, holder, idOf(c), nonce));
    })
    .post("/:id/confirm", async (c) => c.json(await confirm(broker, await holderOf(c), idOf(c))))
    .delete("/:id", async (c) => {
      await endByAgent(broker, await holderOf(c), idOf(c));
      return c.body(null, 204);
    });
}
