import {
  acceptPairing,
  bytes32,
  ceremonyRequest,
  decision,
  fromBase64url,
  fromUtf8,
  id,
  type Oversight,
  ProtocolError,
  parse,
  type RequestDetail,
  type RequestSummary,
  type RequestTimes,
  toBase64url,
  utf8,
} from "@countersign/shared";
import { Hono } from "hono";
import * as z from "zod/mini";
import { decide, openCeremony, requestOf } from "../authorization.js";
import type { Broker } from "../broker.js";
import type { ApproverRow } from "../db/approvers.js";
import { getContext } from "../db/contexts.js";
import { readOversight } from "../db/oversight.js";
import {
  findWithAnswers,
  type HistoryCursor,
  listHistory,
  listInbox,
  listTimes,
  type RequestRow,
  type RequestWithAnswers,
} from "../db/request-reads.js";
import { listSessionVersions } from "../db/stream-holders.js";
import { limits } from "../domain/limits.js";
import { type Hint, topics } from "../domain/ports.js";
import { accept, agentsOf, readForPhone, unpair } from "../pairing.js";
import { type HttpContext, type HttpEnv, readJson } from "./context.js";
import { createStreamLimit, type RateLimits } from "./limits.js";
import { pollPairing } from "./pairing-routes.js";
import { authenticatePerson, sessionHash } from "./person-auth.js";
import { sealedAnswer } from "./sealed.js";
import { streamEvents } from "./sse.js";
import { watchStreams } from "./stream-watch.js";

/** `/app` for a signed-in approver. A session reads and opens; it decides nothing without a signature. */
export function appRoutes(broker: Broker, rates: RateLimits): Hono<HttpEnv> {
  const streams = createStreamLimit(limits.streamsPerSession);
  const watch = watchStreams((hashes) => listSessionVersions(broker.db, hashes));
  const deciding: Broker = {
    ...broker,
    db: broker.reserved,
    tree: broker.reservedTree,
  };

  const personOf = async (c: HttpContext): Promise<ApproverRow> => {
    const person = await authenticatePerson(broker, c);
    await rates.approver(person.approver);
    return person;
  };
  /** Whoever says yes or no, or ends a pairing. */
  const decidingPersonOf = async (c: HttpContext): Promise<ApproverRow> => {
    const person = await authenticatePerson(deciding, c);
    await rates.decision(person.approver);
    return person;
  };
  const ridOf = (c: HttpContext): string => parse(id, c.req.param("rid"));
  const pairingIdOf = (c: HttpContext): string => parse(bytes32, c.req.param("id"));

  return new Hono<HttpEnv>()
    .get("/requests", async (c) => {
      const { approver } = await personOf(c);
      if (parse(view, c.req.query("view")) === "inbox") {
        return c.json({ requests: (await listInbox(broker.db, approver)).map(toSummary) });
      }
      const rows = await listHistory(broker.db, approver, readCursor(c.req.query("before")));
      const page = rows.slice(0, limits.listPageSize);
      const last = rows.length > page.length ? page.at(-1) : undefined;
      return c.json({
        requests: page.map(toSummary),
        ...(last ? { next: writeCursor({ createdAt: last.created_at, rid: last.rid }) } : {}),
      });
    })
    .get("/requests/:rid", async (c) => {
      const { approver } = await personOf(c);
      const found = await findWithAnswers(broker.db, { rid: ridOf(c), approver });
      if (!found) throw new ProtocolError("not_found");
      return c.json(toDetail(found));
    })
    .get("/requests/:rid/times", async (c) => {
      const { rid } = await requestOf(broker, await personOf(c), ridOf(c));
      const times: RequestTimes = { times: await listTimes(broker.db, rid) };
      return c.json(times);
    })
    .get("/requests/:rid/context", async (c) => {
      const { approver } = await personOf(c);
      const sealed = await getContext(broker.db, { rid: ridOf(c), approver });
      if (sealed === undefined) throw new ProtocolError("not_found");
      return sealedAnswer(c, sealed);
    })
    .get("/requests/:rid/contexts/:sha256", async (c) => {
      const { approver } = await personOf(c);
      const sealedSha256 = parse(bytes32, c.req.param("sha256"));
      const sealed = await getContext(broker.db, { rid: ridOf(c), approver, sealedSha256 });
      if (sealed === undefined) throw new ProtocolError("not_found");
      return sealedAnswer(c, sealed);
    })
    .post("/requests/:rid/ceremony", async (c) => {
      const person = await decidingPersonOf(c);
      const { device_kid: deviceKid } = await readJson(c, ceremonyRequest);
      return c.json(await openCeremony(deciding, person, { rid: ridOf(c), deviceKid }), 201);
    })
    .post("/requests/:rid/decisions", async (c) => {
      const person = await decidingPersonOf(c);
      return c.json(await decide(deciding, person, ridOf(c), await readJson(c, decision)));
    })
    .get("/oversight", async (c) => {
      const { approver } = await personOf(c);
      const figures: Oversight = {
        days: limits.oversightDays,
        ...(await readOversight(broker.db, approver)),
      };
      return c.json(figures);
    })
    .get("/events", async (c) => {
      const { approver } = await personOf(c);
      const release = streams.take(approver);
      const session = sessionHash(c) ?? "";
      return streamEvents(c, broker.ending, (stream) => {
        const send = ({ rid, pairingId, account }: Hint): void =>
          stream.send({ event: "hint", data: { rid, pairing_id: pairingId, account } });
        const unwatch = watch.add(session, {
          changed: () => send({ account: true, approvers: [] }),
          end: stream.close,
        });
        const unsubscribe = broker.bus.subscribe(topics.approver(approver), (hint) => {
          if (hint.account) watch.check();
          else send(hint);
        });
        return () => {
          unwatch();
          unsubscribe();
          release();
        };
      });
    })
    .get("/agents", async (c) => c.json({ agents: await agentsOf(broker, await personOf(c)) }))
    .delete("/agents/:clientId", async (c) => {
      const { approver } = await decidingPersonOf(c);
      await unpair(deciding, { clientId: parse(bytes32, c.req.param("clientId")), approver });
      return c.body(null, 204);
    })
    .get("/pairings/:id", async (c) => {
      await personOf(c);
      const pairingId = pairingIdOf(c);
      return c.json(
        // A session that ends while it waits hears no more.
        await pollPairing(broker, c, pairingId, async () =>
          readForPhone(broker, await authenticatePerson(broker, c), pairingId),
        ),
      );
    })
    .post("/pairings/:id/acceptance", async (c) => {
      const person = await personOf(c);
      const acceptance = await readJson(c, acceptPairing);
      return c.json(await accept(broker, person, pairingIdOf(c), acceptance));
    });
}

const view = z.enum(["inbox", "history"]);

const cursor = z.strictObject({ createdAt: z.number(), rid: id });

function readCursor(text: string | undefined): HistoryCursor | null {
  if (text === undefined) return null;
  try {
    return parse(cursor, JSON.parse(fromUtf8(fromBase64url(text))));
  } catch (cause) {
    throw new ProtocolError("invalid_request", { cause });
  }
}

const writeCursor = (given: HistoryCursor): string => toBase64url(utf8(JSON.stringify(given)));

function toSummary(row: RequestRow): RequestSummary {
  const { rid, state, client_id, agent_name, agent_host, tier, approvals, quorum } = row;
  return {
    ...{ rid, state, client_id, agent_name, agent_host, tier, approvals, quorum },
    created_at: row.created_at,
    expires_at: row.expires_at,
    ...(row.settled_at === null ? {} : { settled_at: row.settled_at }),
    ...(row.decided === null ? {} : { decided: row.decided }),
    ...(row.frozen_by === null ? {} : { frozen: true as const }),
  };
}

const toDetail = (row: RequestWithAnswers): RequestDetail => ({
  ...toSummary(row),
  request: row.request,
  req_nonce: row.req_nonce,
  decisions: row.decisions,
  outcomes: row.reports,
  ...(row.frozen_by === null ? {} : { freeze: row.frozen_by }),
});
