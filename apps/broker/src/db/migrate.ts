import { setTimeout as sleep } from "node:timers/promises";
import { socketHost } from "@countersign/embedded-postgres";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";
import { isContention } from "./failures.js";
import { grantToBroker } from "./roles.js";

/** Any fixed number will do, as long as every broker uses the same. */
const advisoryLock = 0x636f756e;

/** Behind a migration that waits for a table every call waits that uses it, so it waits in short pieces. */
const lockMilliseconds = 1000;
const attempts = 20;

/**
 * Brings the schema up to date, one broker at a time, as the owner of the database. Forward only. It gives way to the
 * calls of brokers that run, and tries again.
 */
export async function migrateDatabase(
  databaseUrl: string,
  migrationsFolder: string,
): Promise<void> {
  const client = postgres(databaseUrl, {
    ...socketHost(databaseUrl),
    max: 1,
    connect_timeout: 10,
    onnotice: () => {},
  });
  try {
    await client`select pg_advisory_lock(${advisoryLock})`;
    await client`select set_config('lock_timeout', ${String(lockMilliseconds)}, false)`;
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
  } finally {
    await client.end({ timeout: 5 });
  }
}
