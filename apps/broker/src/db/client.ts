import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { clientConfig } from "./database-url.js";
import { failAsLost, isOutdatedPlan, isRefusal, namedFailure } from "./failures.js";

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
const closeMilliseconds = 5_000;
/** A server's process keeps whatever it once cached. */
const lifetimeSeconds = 3_600;

/**
 * Lazy: nothing is opened until the first query. Calls that lose their connection fail as unavailable, and no other
 * call meets what is left of it.
 * @param role what the connections work as, in place of the account that they sign in with
 * @throws StartupError `database_url_unusable`
 */
export function connect(
  databaseUrl: string,
  { max = maxConnections, role }: { max?: number; role?: string } = {},
): Connection {
  const pool = new pg.Pool({
    ...clientConfig(databaseUrl, { ...lastingPlans, ...(role === undefined ? {} : { role }) }),
    Client: Session,
    max,
    statement_timeout: statementMilliseconds,
    query_timeout: silenceMilliseconds,
    connectionTimeoutMillis: connectMilliseconds,
    maxLifetimeSeconds: lifetimeSeconds,
    allowExitOnIdle: true,
  });
  // A lost connection is news to the call that has it, and to nobody while none has.
  pool.on("error", () => {});
  const query = async (text: string, values: readonly unknown[]): Promise<unknown[]> => {
    const client = await pool.connect().catch(failAsLost);
    let isSound = false;
    try {
      const found = await ask(client, text, [...values]);
      isSound = !found.isOutdated;
      return found.rows;
    } catch (error) {
      isSound = isRefusal(error);
      throw namedFailure(error);
    } finally {
      client.release(!isSound);
    }
  };
  return {
    db: { query },
    // A server that says nothing more holds nobody up.
    close: () => Promise.race([pool.end(), sleep(closeMilliseconds, undefined, { ref: false })]),
  };
}

/** Where a newer broker's migration outdated what this connection prepared, nothing was carried out: it is asked anew. */
async function ask(
  client: pg.PoolClient,
  text: string,
  values: unknown[],
): Promise<{ rows: unknown[]; isOutdated: boolean }> {
  try {
    const { rows } = await client.query({ name: nameOf(text), text, values });
    return { rows, isOutdated: false };
  } catch (error) {
    if (!isOutdatedPlan(error)) throw error;
    const { rows } = await client.query({ text, values });
    return { rows, isOutdated: true };
  }
}

const names = new Map<string, string>();

/** By its text alone: behind a pooler that mixes connections up, a name of ours still never means another statement. */
function nameOf(text: string): string {
  const name = names.get(text) ?? createHash("sha256").update(text).digest("base64url");
  names.set(text, name);
  return name;
}

/** The driver leaves a connection open where signing in failed on this side, and tells nobody of some failures. */
class Session extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    this.on("error", () => {});
  }

  override connect(): Promise<this>;
  override connect(callback: (error: Error) => void): void;
  override connect(callback?: (error: Error) => void): Promise<this> | undefined {
    const connected = super.connect().then(
      () => this,
      (error: Error) => {
        void this.end();
        throw error;
      },
    );
    if (!callback) return connected;
    connected.then(() => callback(undefined as never), callback);
    return undefined;
  }
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
