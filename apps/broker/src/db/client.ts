import { Socket } from "node:net";
import pg from "pg";
import { parseIntoClientConfig } from "pg-connection-string";

/** Statements go by `rows.ts` alone. */
export interface Database {
  /**
   * Runs one statement, prepared once on each connection: its text must not vary with its data.
   * @returns its rows
   */
  query(text: string, values: readonly unknown[]): Promise<unknown[]>;
}

export interface Connection {
  db: Database;
  close(): Promise<void>;
}

/** Connections of one broker process. Measured against 16 red cycles in flight; more only queue in PostgreSQL. */
const maxConnections = 10;

/** PostgreSQL itself ends a statement after this. */
const statementMilliseconds = 5_000;
/** Then whatever still says nothing is not slow but gone, and its connection with it: a frozen machine, a cut line. */
const silenceMilliseconds = 6_000;
/** For opening a connection, and for waiting until one is free. */
const connectMilliseconds = 5_000;

/**
 * Lazy: nothing is opened until the first query. Calls that lose their connection fail as unavailable, and no other
 * call meets what is left of it.
 * @param role what the connections work as, in place of the account that they sign in with
 */
export function connect(
  databaseUrl: string,
  { max = maxConnections, role }: { max?: number; role?: string } = {},
): Connection {
  const pool = new pg.Pool({
    ...clientConfig(databaseUrl, role === undefined ? {} : { role }),
    max,
    query_timeout: silenceMilliseconds,
    connectionTimeoutMillis: connectMilliseconds,
    // A server that takes no goodbye keeps nobody from ending.
    allowExitOnIdle: true,
  });
  // A lost connection is news to the call that has it, and to nobody while none has.
  pool.on("connect", (client) => client.on("error", () => {}));
  pool.on("error", () => {});
  const names = new Map<string, string>();
  const nameOf = (text: string): string => {
    const name = names.get(text) ?? `s${names.size}`;
    names.set(text, name);
    return name;
  };
  const query = async (text: string, values: readonly unknown[]): Promise<unknown[]> => {
    const client = await pool.connect().catch(failed);
    let isSound = false;
    try {
      const found = await client.query({ name: nameOf(text), text, values: [...values] });
      isSound = true;
      return found.rows;
    } catch (error) {
      isSound = isRefusal(error);
      return failed(error);
    } finally {
      client.release(!isSound);
    }
  };
  return { db: { query }, close: () => pool.end() };
}

/** PostgreSQL answered, and its connection is as good as before. */
const isRefusal = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && error.severity === "ERROR";

/** What the driver says of a lost connection has words and no code. */
function failed(error: unknown): never {
  if (error instanceof Error && !("code" in error && error.code)) {
    const lost = new Error("The connection to the database was lost.", { cause: error });
    throw Object.assign(lost, { code: "CONNECTION_LOST" });
  }
  throw error;
}

/**
 * Waits for notifications on a connection of its own, which is opened anew whenever it ends or has been silent for
 * longer than brokers are.
 * @param onHint also called after each opening: what was sent meanwhile is lost
 */
export function hear(
  databaseUrl: string,
  channel: string,
  onHint: (payload?: string) => void,
): { close(): Promise<void> } {
  let ear: pg.Client;
  let retry: NodeJS.Timeout | undefined;
  let failures = 0;
  let isOver = false;
  const open = (): void => {
    const client = new pg.Client({ ...clientConfig(databaseUrl), stream: silentNever });
    ear = client;
    let isLost = false;
    const lose = (): void => {
      if (isLost || isOver) return;
      isLost = true;
      retry = setTimeout(open, Math.min(50 * 2 ** failures, 1000));
      failures += 1;
      client.end().catch(() => {});
    };
    client.on("error", lose).on("end", lose);
    client.on("notification", ({ payload }) => onHint(payload));
    const listen = async (): Promise<void> => {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(channel)}`);
      failures = 0;
      onHint();
    };
    listen().catch(lose);
  };
  open();
  return {
    close: async () => {
      isOver = true;
      clearTimeout(retry);
      await ear.end().catch(() => {});
    },
  };
}

/** Closes when nothing was heard on it for too long, and its owner hears of that. */
function silentNever(): Socket {
  const socket = new Socket();
  return socket.setTimeout(silenceMilliseconds, () => socket.destroy());
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

/** The URL's own settings stand, but for those that the broker needs. */
function clientConfig(databaseUrl: string, settings: Record<string, string> = {}): pg.ClientConfig {
  const given = parseIntoClientConfig(databaseUrl);
  const own = Object.entries({ ...lastingPlans, ...settings }).map(
    ([name, value]) => `-c ${name}=${value}`,
  );
  return {
    ...given,
    options: [given.options ?? "", ...own].join(" "),
    application_name: "countersign-broker",
    statement_timeout: statementMilliseconds,
  };
}
