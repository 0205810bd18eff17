import {
  bytes32,
  fromUtf8,
  id,
  maxSealedBytes,
  outcomeReport,
  ProtocolError,
  parse,
  type RequestState,
  type RequestStatus,
  sha256Text,
} from "@countersign/shared";
import { Hono } from "hono";
import * as z from "zod/mini";
import type { AuthenticatedAgent } from "../authorization.js";
import type { Broker } from "../broker.js";
import { putContext } from "../db/contexts.js";
import { describeFailure } from "../db/failures.js";
import { listFreezes } from "../db/freezes.js";
import { findForAgent, lastLeaf, listHintsSince, type RequestRow } from "../db/request-reads.js";
import { listAgentVersions } from "../db/stream-holders.js";
import { limits } from "../domain/limits.js";
import { topics } from "../domain/ports.js";
import { chainFor } from "../pairing.js";
import { cancel, evidenceOf, report } from "../redemption.js";
import { authenticateAgent } from "./agent-auth.js";
import { type HttpContext, type HttpEnv, readJson } from "./context.js";
import { limitBody } from "./guards.js";
import { createStreamLimit, type RateLimits } from "./limits.js";
import { createRecent } from "./recent.js";
import { streamEvents } from "./sse.js";
import { type StreamWatch, watchStreams } from "./stream-watch.js";

/** `/v1` for agents with a DPoP-bound token. An agent sees and touches only its own. */
export function agentRoutes(broker: Broker, rates: RateLimits): Hono<HttpEnv> {
  const streams = createStreamLimit(limits.streamsPerAgent);
  const watch = watchStreams((clientIds) => listAgentVersions(broker.db, clientIds));

  const agentOf = async (c: HttpContext): Promise<AuthenticatedAgent> => {
    const agent = await authenticateAgent(broker, c);
    await rates.agent(agent.clientId);
    return agent;
  };
  const ridOf = (c: HttpContext): string => parse(id, c.req.param("rid"));

  return (
    new Hono<HttpEnv>()
      // Who it is comes first: a body of nobody's is never held in memory.
      .put("/contexts/:sha256", async (c, next) => {
        c.set("agent", await agentOf(c));
        await next();
      })
      .put("/contexts/:sha256", limitBody(maxSealedBytes), async (c) => {
        const agent = c.get("agent");
        const sealedSha256 = parse(bytes32, c.req.param("sha256"));
        const octets = new Uint8Array(await c.req.arrayBuffer());
        if (sha256Text(octets) !== sealedSha256) throw new ProtocolError("invalid_binding");
        // JSON in any case: what is no text nobody could open.
        const sealed = fromUtf8(octets);
        const stored = await putContext(broker.db, {
          clientId: agent.clientId,
          sealedSha256,
          sealed,
        });
        if (!stored) throw new ProtocolError("slow_down");
        return c.json({ sealed_sha256: sealedSha256, expires_at: stored.expires_at });
      })
      .get("/requests/:rid", async (c) => {
        const agent = await agentOf(c);
        const row = await findForAgent(broker.db, { rid: ridOf(c), clientId: agent.clientId });
        if (!row) throw new ProtocolError("not_found");
        return c.json(toStatus(row));
      })
      .post("/requests/:rid/cancel", async (c) =>
        c.json(toStatus(await cancel(broker, await agentOf(c), ridOf(c)))),
      )
      .post("/requests/:rid/outcome", async (c) => {
        const agent = await agentOf(c);
        const { outcome } = await readJson(c, outcomeReport);
        return c.json(toStatus(await report(broker, agent, ridOf(c), outcome)));
      })
      .get("/requests/:rid/evidence", async (c) =>
        c.json(await evidenceOf(broker, await agentOf(c), ridOf(c))),
      )
      .get("/approvers/:approver/chain", async (c) =>
        c.json(await chainFor(broker, await agentOf(c), parse(id, c.req.param("approver")))),
      )
      .get("/events", async (c) => {
        const agent = await agentOf(c);
        const release = streams.take(agent.clientId);
        try {
          return await streamHints(broker, c, watch, { clientId: agent.clientId, release });
        } catch (error) {
          release();
          throw error;
        }
      })
  );
}

const eventId = z.string().check(z.regex(/^\d{1,15}$/));

/**
 * Hints for all of an agent's requests. A reader that comes back with `Last-Event-ID` is told what it missed of the
 * last hour; ids are the log's, so they outlive this process.
 */
async function streamHints(
  broker: Broker,
  c: HttpContext,
  watch: StreamWatch,
  { clientId, release }: { clientId: string; release: () => void },
): Promise<Response> {
  const given = c.req.header("last-event-id");
  let since = given === undefined ? await lastLeaf(broker.db) : Number(parse(eventId, given));
  return streamEvents(c, broker.ending, (stream) => {
    const sent = createRecent(limits.hintsRemembered);
    let reading = Promise.resolve();
    const tell = (rid: string, state: RequestState, seq: number): void => {
      since = Math.max(since, seq);
      if (sent.isNews(rid, state)) {
        stream.send({ event: "request", id: since, data: { rid, state } });
      }
    };
    const readOn = async (): Promise<void> => {
      for (const { approver, seq } of await listFreezes(broker.db, clientId)) {
        if (!sent.isNews(approver, String(seq))) continue;
        stream.send({ event: "freeze", data: { approver } });
      }
      for (let more = true; more; ) {
        const hints = await listHintsSince(broker.db, { clientId, since });
        more = hints.some(({ seq }) => seq > since);
        for (const { seq, rid, state } of hints) tell(rid, state, seq);
        await stream.drained();
      }
    };
    let retry: NodeJS.Timeout | undefined;
    let over = false;
    const schedule = (): void => {
      reading = reading.then(readOn).catch((error: unknown) => {
        broker.log.warn({ err: describeFailure(error) }, "event stream could not be read on");
        // The bus has told what it read; this reading failed, and nobody tells it again.
        clearTimeout(retry);
        if (!over) retry = setTimeout(schedule, limits.heartbeatSeconds * 1000);
      });
    };
    const unsubscribe = broker.bus.subscribe(topics.client(clientId), ({ rid, state, seq }) => {
      if (rid === undefined || state === undefined) return schedule();
      // All there is to say: to read it again, for each stream and change, would cost more than the change itself. Behind
      // a reading that has begun, which may have seen less.
      reading = reading.then(() => tell(rid, state, seq ?? since));
    });
    const unwatch = watch.add(clientId, {
      ...{ watched: schedule, changed: schedule },
      end: stream.close,
    });
    // The bus reads every change, and freezes are watched. Should either ever miss one, it is found by this.
    const again = setInterval(schedule, limits.rereadSeconds * 1000);
    schedule();
    return () => {
      unsubscribe();
      unwatch();
      clearInterval(again);
      over = true;
      clearTimeout(retry);
      release();
    };
  });
}

const toStatus = (row: RequestRow): RequestStatus => ({
  rid: row.rid,
  state: row.state,
  req_nonce: row.req_nonce,
  expires_at: row.expires_at,
  approvals: row.approvals,
  quorum: row.quorum,
  outcomes: row.outcomes,
});
