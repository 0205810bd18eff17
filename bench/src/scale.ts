import { readFile, writeFile } from "node:fs/promises";
import { withServer } from "@countersign/test-kit/postgres-server";
import { startLoad } from "./load/start.js";
import { cpuMilliseconds } from "./measure.js";
import { databaseProcesses } from "./system/processes.js";
import { startBrokers, startDatabaseServer } from "./system/server.js";

// `npx tsx --conditions=@countersign/source bench/src/scale.ts`: measures what one red cycle costs here, and writes into
// docs/scale.md what that means for many approvers. Arithmetic on measured costs, not a measurement of such a system.

const page = new URL("../../docs/scale.md", import.meta.url);
const [begin, end] = ["<!-- figures -->", "<!-- end of figures -->"];

/** What an approver does. Assumed, and written beside the result. */
const requestsPerDay = 5;
/** Of a busy second to the average one. */
const peak = 5;
/** Of all approvers, those with an agent that holds a stream open. */
const waitingShare = 0.05;
const streamKibibytes = Number(process.argv[2] ?? Number.NaN);

interface Cost {
  brokerCpu: number;
  databaseCpu: number;
  walBytes: number;
  diskBytes: number;
}

async function measure(): Promise<Cost> {
  const server = await startDatabaseServer();
  const databaseUrl = await server.database();
  const brokers = await startBrokers(databaseUrl);
  const load = await startLoad({ kind: "countersign", ...brokers, pairs: 128 });
  const sizes = () =>
    withServer(databaseUrl, async (sql) => {
      const [row] = await sql`select pg_database_size(current_database())::float8 as disk,
        (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8 as wal`;
      return row as unknown as { disk: number; wal: number };
    });
  const cpu = () => databaseProcesses().reduce((sum, pid) => sum + cpuMilliseconds(pid), 0);
  const count = 800;
  await load.run(200, 16);
  const before = { ...(await sizes()), cpu: cpu() };
  const { serverCpuMilliseconds } = await load.run(count, 16);
  const after = { ...(await sizes()), cpu: cpu() };
  await load.close();
  await brokers.stop();
  await server.stop();
  return {
    brokerCpu: serverCpuMilliseconds / count,
    databaseCpu: (after.cpu - before.cpu) / count,
    walBytes: (after.wal - before.wal) / count,
    diskBytes: (after.disk - before.disk) / count,
  };
}

function row(approvers: number, cost: Cost): string {
  const each = (approvers * requestsPerDay) / 86_400;
  const busy = each * peak;
  // Half of a core is left for what is not average.
  const cores = (milliseconds: number): string => Math.ceil((busy * milliseconds) / 500).toString();
  const streams = approvers * waitingShare;
  return `| ${[
    `${approvers / 1e6} million`,
    busy.toFixed(0),
    cores(cost.brokerCpu),
    cores(cost.databaseCpu),
    `${((busy * cost.walBytes) / 1e6).toFixed(1)} MB/s`,
    `${((approvers * requestsPerDay * 365 * cost.diskBytes) / 1e12).toFixed(1)} TB`,
    Number.isNaN(streamKibibytes)
      ? "-"
      : `${((streams * streamKibibytes) / 2 ** 20).toFixed(1)} GiB`,
  ].join(" | ")} |`;
}

const cost = await measure();
const figures = [
  `One red cycle cost ${cost.brokerCpu.toFixed(1)} ms of CPU in the broker, ${cost.databaseCpu.toFixed(1)} ms in PostgreSQL, ${(cost.walBytes / 1024).toFixed(1)} KiB of`,
  `write-ahead log and ${(cost.diskBytes / 1024).toFixed(1)} KiB of disk, its sealed context of 1 KiB included.`,
  `Assumed: ${requestsPerDay} requests a day for an approver, a busy second ${peak} times the average one, half of each core kept free, ${waitingShare * 100} % of approvers with a waiting agent.`,
  "",
  "| approvers | cycles/s when busy | broker cores | database cores | write-ahead log | disk a year | memory of streams |",
  "| --- | --- | --- | --- | --- | --- | --- |",
  ...[1e6, 1e7, 1e8].map((approvers) => row(approvers, cost)),
].join("\n");
const text = await readFile(page, "utf8");
const [head] = text.split(begin);
const [, tail] = text.split(end);
await writeFile(page, `${head}${begin}\n\n${figures}\n\n${end}${tail}`);
console.log(figures);
