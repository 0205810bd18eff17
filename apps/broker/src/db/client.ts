import { socketHost } from "@countersign/embedded-postgres";
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";

export type Database = PostgresJsDatabase;

export interface Connection {
  db: Database;
  close(): Promise<void>;
}

/** Connections of one broker process. Measured against 16 red cycles in flight; more only queue in PostgreSQL. */
const maxConnections = 10;

/** Lazy: nothing is opened until the first query. */
export function connect(databaseUrl: string): Connection {
  const client = postgres(databaseUrl, {
    ...socketHost(databaseUrl),
    max: maxConnections,
    connect_timeout: 5,
    idle_timeout: 60,
    // After PostgreSQL was killed the default back-off left calls waiting for 8 s.
    backoff: (attempt) => Math.min(0.05 * 2 ** attempt, 1),
    connection: { application_name: "countersign-broker", statement_timeout: 10_000 },
    onnotice: () => {},
  });
  return { db: drizzle({ client }), close: () => client.end({ timeout: 5 }) };
}
