import { type BrokerProcess, startBrokerProcess } from "@countersign/test-kit/broker-process";
import { startPostgres, withServer } from "@countersign/test-kit/postgres-server";

/** A PostgreSQL of the benchmark's own, durable, with a database for each contender. */
export interface DatabaseServer {
  database(): Promise<string>;
  stop(): Promise<void>;
}

export async function startDatabaseServer(): Promise<DatabaseServer> {
  const server = await startPostgres();
  let count = 0;
  return {
    async database() {
      const name = `bench_${++count}`;
      await withServer(server.url, (sql) => sql.pool.query(`create database ${name}`));
      const url = new URL(server.url);
      url.pathname = `/${name}`;
      return url.href;
    },
    stop: () => server.stop(),
  };
}

export interface Brokers {
  origin: string;
  ports: number[];
  pids: number[];
  databaseUrl: string;
  stop(): Promise<void>;
}

/** Built brokers as processes of their own on one database; all of them go by the first one's name. */
export async function startBrokers(
  databaseUrl: string,
  count = 1,
  variables: Record<string, string> = {},
): Promise<Brokers> {
  const settings = { DATABASE_URL: databaseUrl, ...variables };
  const first = await startBrokerProcess(settings);
  const brokers: BrokerProcess[] = [first];
  while (brokers.length < count) {
    brokers.push(await startBrokerProcess({ ...settings, PUBLIC_URL: first.origin }));
  }
  return {
    origin: first.origin,
    ports: brokers.map(({ port }) => port),
    pids: brokers.map(({ pid }) => pid),
    databaseUrl,
    async stop() {
      for (const broker of brokers) await broker.stop();
    },
  };
}

/** Statements that a database has committed; each change and each query here is a transaction of its own. */
export const countTransactions = (databaseUrl: string): Promise<number> =>
  withServer(databaseUrl, async (sql) => {
    // Sessions report what they did with a delay of up to a second.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const [row] =
      await sql`select xact_commit::float8 as count from pg_stat_database where datname = current_database()`;
    return (row as { count: number }).count;
  });
