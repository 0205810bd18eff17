import { setTimeout as sleep } from "node:timers/promises";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";
import { clientConfig } from "./database-url.js";
import { failAsLost, isContention, namedFailure } from "./failures.js";
import { grantToBroker } from "./roles.js";

/** Any fixed number will do, as long as every broker uses the same. */
const advisoryLock = 0x636f756e;

/** Behind a migration that waits for a table every call waits that uses it, so it waits in short pieces. */
const lockMilliseconds = 1000;
const attempts = 20;
const connectMilliseconds = 10_000;
const endMilliseconds = 1_000;

/**
 * Brings the schema up to date, one broker at a time, as the owner of the database. Forward only. It gives way to the
 * calls of brokers that run, and tries again.
 */
export async function migrateDatabase(
  databaseUrl: string,
  migrationsFolder: string,
): Promise<void> {
  const client = new pg.Client({
    ...clientConfig(databaseUrl, { client_min_messages: "warning" }),
    connectionTimeoutMillis: connectMilliseconds,
  });
  // Whoever waits for an answer is told as well.
  client.on("error", () => {});
  try {
    await client.connect().catch(failAsLost);
    await client.query("select pg_advisory_lock($1)", [advisoryLock]);
    await client.query(`set lock_timeout = ${lockMilliseconds}`);
    for (let attempt = 1; ; attempt++) {
      try {
        await migrate(drizzle({ client }), { migrationsFolder });
        break;
      } catch (error) {
        if (!isContention(error) || attempt === attempts) throw error;
        await sleep(Math.random() * lockMilliseconds);
      }
    }
    await grantToBroker(client);
  } catch (error) {
    throw namedFailure(error);
  } finally {
    // One that never signed in may never end.
    await Promise.race([client.end(), sleep(endMilliseconds, undefined, { ref: false })]);
  }
}
