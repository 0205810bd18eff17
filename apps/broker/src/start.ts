import { existsSync } from "node:fs";
import { createServer, type Server, type ServerOptions } from "node:http";
import type { Agent } from "node:https";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { randomId, visible } from "@countersign/shared";
import { getRequestListener, RequestError } from "@hono/node-server";
import { createEgressAgent } from "./adapters/egress-guard.js";
import { createEventBus } from "./adapters/event-bus.js";
import { createWebPush, makeVapidKeys } from "./adapters/web-push.js";
import { webauthn } from "./adapters/webauthn.js";
import { createApp } from "./app.js";
import type { Broker } from "./broker.js";
import {
  loadLogKey,
  loadSigningKey,
  loadVapidKeys,
  requireSameRelyingParty,
  requireSoundDatabase,
} from "./checks.js";
import { createChangeReader, hintChannel, notifyBrokers } from "./db/changes.js";
import { type Connection, connect, type Database } from "./db/client.js";
import { hear } from "./db/ear.js";
import { describeFailure, isUnavailable } from "./db/failures.js";
import { migrateDatabase } from "./db/migrate.js";
import { purgePushes } from "./db/pushes.js";
import { purgeBuckets } from "./db/rate-buckets.js";
import { purgeRecords, purgeSealed, purgeUnreferenced } from "./db/retention.js";
import { brokerRole } from "./db/roles.js";
import { purgeEphemeral } from "./db/sessions.js";
import { limits } from "./domain/limits.js";
import type { EventBus, Logger } from "./domain/ports.js";
import { knownPushHosts } from "./domain/push-endpoint.js";
import { type Environment, type PublicSite, StartupError, siteOf, vapidSubjectOf } from "./env.js";
import { createEnding, endInOrder } from "./http/ending.js";
import { refusal } from "./http/errors.js";
import { createSequencer } from "./log/sequence.js";
import { createTreeMemory } from "./log/tree-memory.js";
import { migrationsFolder, type Stops, startOwnDatabase } from "./own-database.js";
import { startPushSender } from "./push.js";
import { expireOverdue, tellLogged } from "./redemption.js";
import { inviteFirstApprover } from "./registration.js";

const webAppDirectory = fileURLToPath(new URL("../../pwa/dist", import.meta.url));

/** Kept for decisions: people decide slowly, and one at a time. */
const reservedConnections = 2;

export interface RunningBroker {
  site: PublicSite;
  /** The link for the first approver, as long as nobody has enrolled. */
  firstInvitation: string | undefined;
  stop(): Promise<void>;
}

/**
 * Environment -> adapters -> app -> listening, timers running.
 * @param egress opens the connections to push services
 * @throws StartupError with a sentence that says what to do
 */
export async function start(
  env: Environment,
  log: Logger,
  now: () => number = Date.now,
  egress: Agent = createEgressAgent(),
): Promise<RunningBroker> {
  const stops: Stops = [];
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).reverse()) await step();
  };
  try {
    const { server, port } = await listen(env);
    stops.push(() => closeServer(server));
    const site = siteOf(env.PUBLIC_URL ?? `http://localhost:${port}`);

    const databaseUrl = env.DATABASE_URL ?? (await startOwnDatabase(env, log, stops));
    const connection = await openDatabase(databaseUrl, now);
    stops.push(() => connection.close());
    const { db } = connection;
    await requireSameRelyingParty(db, site);

    const reserved = connect(databaseUrl, { max: reservedConnections, role: brokerRole });
    stops.push(() => reserved.close());
    const bus = startEventBus(databaseUrl, log, stops);
    const ending = createEnding();
    const tree = createTreeMemory(db);
    const reservedTree = createTreeMemory(reserved.db);
    const broker: Broker = {
      db,
      reserved: reserved.db,
      site,
      bus,
      webauthn,
      push: createWebPush({
        vapid: {
          ...(await loadVapidKeys(db, makeVapidKeys)),
          subject: vapidSubjectOf(env, site),
        },
        hosts: [...knownPushHosts, ...env.PUSH_HOSTS],
        agent: egress,
        timeoutMilliseconds: limits.pushTimeoutMilliseconds,
      }),
      log,
      signingKey: await loadSigningKey(db),
      logKey: await loadLogKey(db, site),
      // A decision waits for its place in the log: never behind what anybody reads.
      sequencer: await createSequencer(reserved.db, ({ start, entries, rids }) => {
        for (const memory of [tree, reservedTree]) memory.add(start, entries);
        tellLogged(bus, rids);
      }),
      tree,
      reservedTree,
      allowed: { pendingPerAgent: env.PENDING_PER_AGENT, pushesPerWindow: env.ALERTS_PER_AGENT },
      ending,
      now,
    };
    // Nobody but the owner of the tables may delete records: this connection does that and nothing else.
    const owner = connect(databaseUrl, { max: 1 });
    stops.push(() => owner.close());
    stops.push(startTimers(broker, env, owner.db));
    stops.push(startPushSender(broker));
    const app = createApp(broker, {
      webAppDirectory: existsSync(webAppDirectory) ? webAppDirectory : undefined,
      trustedProxies: env.TRUSTED_PROXIES,
    });
    server.removeAllListeners("request");
    // A target or a Host that makes no URL never reaches the app.
    const errorHandler = (error: unknown) =>
      refusal("/", error instanceof RequestError ? "invalid_request" : "internal");
    server.on("request", getRequestListener(app.fetch, { errorHandler }));
    // First of all when it ends: calls under way still have everything they need.
    stops.push(endInOrder(server, ending));
    return { site, firstInvitation: await inviteFirstApprover(broker), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What other brokers on this database change wakes waiters here, on connections that no call has to wait for. */
function startEventBus(databaseUrl: string, log: Logger, stops: Stops): EventBus {
  const line = connect(databaseUrl, { max: 1, role: brokerRole });
  stops.push(() => line.close());
  const self = randomId();
  const bus = createEventBus(
    { read: createChangeReader(line.db), notify: () => notifyBrokers(line.db, self) },
    log,
  );
  const ear = hear(databaseUrl, hintChannel, (sender) => {
    // What this broker changed it reads before it tells anybody.
    if (sender !== self) bus.hinted();
  });
  stops.push(() => ear.close(), bus.stop);
  return bus;
}

/** Node's defaults let half-sent headers hold a connection for 95 s. */
const serverLimits: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 2_000,
  // Longer than proxies keep theirs (Caddy: 2 min): else a call now and then meets a connection that is just being closed.
  keepAliveTimeout: 150_000,
  maxHeaderSize: 16 * 1024,
};

/** Takes the port before anything else is touched; until the app stands it answers 503. */
async function listen(env: Environment): Promise<{ server: Server; port: number }> {
  const notYet = (request: Request) => refusal(new URL(request.url).pathname, "unavailable");
  const listener = getRequestListener(notYet, { overrideGlobalObjects: false });
  const server = createServer(serverLimits, listener);
  // Who takes nothing of an answer for so long has gone. Streams and long polls say something more often.
  server.setTimeout(60_000);
  server.maxHeadersCount = 60;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(env.PORT, env.HOST, resolve);
  }).catch((cause: NodeJS.ErrnoException) => {
    const sentence =
      cause.code === "EADDRINUSE"
        ? `Port ${env.PORT} is in use. Stop the other program, or set PORT to a free one.`
        : `Listening on ${env.HOST}:${env.PORT} failed (${cause.code}). Set HOST and PORT to an address of this machine.`;
    throw new StartupError(
      cause.code === "EADDRINUSE" ? "port_in_use" : "cannot_listen",
      sentence,
      {
        cause,
      },
    );
  });
  return { server, port: (server.address() as AddressInfo).port };
}

/** Of a start that failed; and of what is left of a server that ended in order, nothing. */
async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

/** Migrates, and holds the database to what the promises need. */
async function openDatabase(databaseUrl: string, now: () => number): Promise<Connection> {
  const connection = connect(databaseUrl, { role: brokerRole });
  try {
    await migrateDatabase(databaseUrl, migrationsFolder);
    await requireSoundDatabase(connection.db, now);
    return connection;
  } catch (error) {
    await connection.close();
    throw isUnavailable(error) ? unreachable(error) : error;
  }
}

/** Away, or there but not for us: wrong password, no such database, a certificate that cannot be checked. */
function unreachable(cause: unknown): StartupError {
  const words = visible(String(describeFailure(cause)["message"]));
  return new StartupError(
    "database_unreachable",
    `The database in DATABASE_URL cannot be reached: ${words}. Check host, port, name and password, and that it runs.`,
    { cause },
  );
}

/** Settles what ran out every second, sees whether what held at the start still holds, and cleans up every minute. Errors are logged and tried again. */
function startTimers(broker: Broker, env: Environment, owner: Database): () => void {
  const every = (milliseconds: number, name: string, work: () => Promise<unknown>) => {
    let running = false;
    return setInterval(async () => {
      if (running) return;
      running = true;
      try {
        await work();
      } catch (error) {
        broker.log.warn({ task: name, err: describeFailure(error) }, "background task failed");
      } finally {
        running = false;
      }
    }, milliseconds);
  };
  const sealedSeconds = {
    contexts: env.CONTEXT_RETENTION_HOURS * 3600,
    pictures: env.PICTURE_RETENTION_HOURS * 3600,
  };
  const recordSeconds = { records: env.RECORD_RETENTION_DAYS * 86_400 };
  const timers = [
    every(1000, "expire", () => expireOverdue(broker)),
    every(1000, "sequence", () => broker.sequencer.run()),
    every(10_000, "check", () => requireSoundDatabase(broker.db, broker.now)),
    every(60_000, "purge unreferenced", () => purgeUnreferenced(broker.db)),
    every(60_000, "purge sealed", () => purgeSealed(broker.db, sealedSeconds)),
    every(600_000, "purge records", () => purgeRecords(owner, recordSeconds)),
    every(60_000, "purge pushes", () => purgePushes(broker.db)),
    every(60_000, "purge buckets", () => purgeBuckets(broker.db)),
    every(60_000, "purge ephemeral", () => purgeEphemeral(broker.db)),
  ];
  return () => timers.forEach(clearInterval);
}
