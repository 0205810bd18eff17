import { socketHost } from "@countersign/embedded-postgres";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";
import { grantToBroker } from "./roles.js";

/** Any fixed number will do, as long as every broker uses the same. */
const advisoryLock = 0x636f756e;

/** Brings the schema up to date, one broker at a time, as the owner of the database. Forward only. */
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
    await migrate(drizzle({ client }), { migrationsFolder });
    await grantToBroker(client);
  } finally {
    await client.end({ timeout: 5 });
  }
}
