import { connect as openSocket, type Socket } from "node:net";
import { socketHost } from "@countersign/embedded-postgres";
import postgres from "postgres";

/** Statements go by `rows.ts` alone. */
export interface Database {
  $client: Pick<postgres.Sql, "unsafe">;
}

export interface Connection {
  db: Database;
  close(): Promise<void>;
}

/** Connections of one broker process. Measured against 16 red cycles in flight; more only queue in PostgreSQL. */
const maxConnections = 10;

/** PostgreSQL itself ends a statement after this. */
const statementMilliseconds = 5_000;
/** Then whatever still says nothing is not slow but gone, and its connection with it. */
const silenceMilliseconds = 6_000;

/** For what a pool has begun, when it ends. */
const endSeconds = 5;

/** The driver gives up an idle connection before silence ends it: it alone knows that no call is just about to use it. */
const idleSeconds = 4;

/**
 * Lazy: nothing is opened until the first query. A pool that lost a connection answers what it has begun, and another
 * one takes its place: the driver uses what is left of a lost connection for the next one, unsent bytes and counters
 * among it, and then waits for ever, or takes an answer for another (018).
 * @param role what the connections work as, in place of the account that they sign in with
 */
export function connect(
  databaseUrl: string,
  { max = maxConnections, role }: { max?: number; role?: string } = {},
): Connection {
  const options = clientOptions(databaseUrl);
  const ending = new Set<Promise<void>>();
  const end = (pool: postgres.Sql): Promise<void> => {
    const ended = pool.end({ timeout: endSeconds }).finally(() => ending.delete(ended));
    ending.add(ended);
    return ended;
  };
  const open = (): postgres.Sql => {
    const opened = postgres(databaseUrl, {
      ...options,
      max,
      idle_timeout: idleSeconds,
      connection: { ...options.connection, ...(role === undefined ? {} : { role }) },
      ...sockets(() => {
        if (opened !== pool) return;
        pool = open();
        void end(opened);
      }),
    });
    return opened;
  };
  let pool = open();
  return {
    db: { $client: { unsafe: (...call) => pool.unsafe(...call) } },
    close: async () => {
      await Promise.all([end(pool), ...ending]);
    },
  };
}

/**
 * Waits for notifications on a connection of its own.
 * @param onHint also called after every reconnect: what was sent meanwhile is lost
 */
export function hear(
  databaseUrl: string,
  channel: string,
  onHint: (payload?: string) => void,
): { close(): Promise<void> } {
  const client = postgres(databaseUrl, {
    ...clientOptions(databaseUrl),
    ...sockets(() => {}),
    max: 1,
  });
  // The driver listens again after every loss of its connection; a first try that fails is such a loss.
  client.listen(channel, onHint, () => onHint()).catch(() => {});
  return { close: () => client.end({ timeout: 1 }) };
}

/**
 * A prepared statement keeps its plan until its tables are analysed: one made while they were small reads them whole
 * for as long. So rows are looked up by an index, one by one, as they would be in large tables: whatever calls ask
 * for has one. (Where there is none, older servers would compile the plan for the price that it is given.)
 */
const lastingPlans = {
  enable_seqscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  jit: "off",
};

const clientOptions = (databaseUrl: string) => ({
  ...socketHost(databaseUrl),
  connect_timeout: 5,
  // With it the driver asks each new connection for the types of arrays, in a promise that nobody holds: a server that
  // ended just then ended this process. No statement here reads or writes an array as such (019).
  fetch_types: false,
  // No call behind another one on a connection: with PostgreSQL killed under load that was seen to go wrong (019).
  max_pipeline: 0,
  // After PostgreSQL was killed the default back-off left calls waiting for 8 s.
  backoff: (attempt: number) => Math.min(0.05 * 2 ** attempt, 1),
  connection: {
    application_name: "countersign-broker",
    statement_timeout: statementMilliseconds,
    ...lastingPlans,
  },
  onnotice: () => {},
  // JSON goes as the text that `rows.ts` makes of it, and comes back parsed.
  types: {
    json: {
      ...{ to: 114, from: [114, 3802] },
      serialize: (text: string) => text,
      parse: (text: string): unknown => JSON.parse(text),
    },
  },
});

/**
 * The driver waits for ever on a server that stopped answering without closing its connections: a frozen
 * machine, a cut line. Its calls would hang, and the pool run dry. So a silent connection is closed here, and
 * its call fails as with any other lost connection. (The driver's types do not name this option.)
 * @param onLoss told when a connection ends that the driver did not end itself
 */
const sockets = (onLoss: () => void) => ({
  socket: ({ host, port, path }: { host: string[]; port: number[]; path?: string }): Socket => {
    const [name = "localhost"] = host;
    const [number = 5432] = port;
    const socket = path ? openSocket(path) : openSocket(number, name);
    socket.setTimeout(silenceMilliseconds, () => socket.destroy());
    watchLoss(socket, onLoss);
    // The driver names it to TLS.
    return Object.assign(socket, { host: name, port: number });
  },
});

/**
 * Between a socket's error and its closing, a few turns of the loop, the driver hands its connection out once more, and
 * fails no call that it has when it closes. So it is told of the error just before the closing.
 */
function watchLoss(socket: Socket, onLoss: () => void): void {
  const emit = socket.emit.bind(socket) as (
    event: string | symbol,
    ...values: unknown[]
  ) => boolean;
  const errors: unknown[] = [];
  socket.emit = (event: string | symbol, ...values: unknown[]): boolean => {
    const isLoss = event === "error" || event === "end" || event === "close";
    if (isLoss && !socket.writableEnded) onLoss();
    if (event === "close") for (const error of errors.splice(0)) emit("error", error);
    if (event !== "error") return emit(event, ...values);
    errors.push(...values);
    return true;
  };
}
