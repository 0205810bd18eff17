import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startEmbeddedPostgres } from "@countersign/embedded-postgres";
import { startBrokerProcess } from "@countersign/test-kit/broker-process";
import { interleave, median, proportionalBytes, ratioOf } from "../measure.js";
import { atMost, mebibytes, milliseconds, type Row } from "../row.js";
import { descendants } from "../system/processes.js";

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "countersign-bench-"));
  // As root the database runs under another account, which has to pass through.
  await chmod(folder, 0o711);
  return folder;
}

async function bareDatabase(): Promise<number> {
  const folder = await ownFolder();
  const dataDir = join(folder, "data");
  let stop = async (): Promise<void> => {};
  const took = await timed(async () => {
    ({ stop } = await startEmbeddedPostgres({ dataDir, log: () => {} }));
  });
  await stop();
  await rm(folder, { recursive: true });
  return took;
}

async function firstStart(): Promise<number> {
  const folder = await ownFolder();
  let stop = async (): Promise<unknown> => undefined;
  const took = await timed(async () => {
    ({ stop } = await startBrokerProcess({ DATA_DIR: folder }));
  });
  await stop();
  await rm(folder, { recursive: true });
  return took;
}

const bareNode = (): Promise<number> =>
  timed(() => once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit"));

/** From the command to an answering server, and what it needs when nothing happens. */
export const start: Row = {
  name: "start",
  async run(bench) {
    const rounds = bench.smoke ? 1 : 5;
    const first = await interleave(rounds, { ours: firstStart, bare: bareDatabase });
    const folder = await ownFolder();
    const memory: number[] = [];
    const restart = async (): Promise<number> => {
      const began = performance.now();
      const broker = await startBrokerProcess({ DATA_DIR: folder });
      const took = performance.now() - began;
      await sleep(bench.smoke ? 0 : 1000);
      const pids = [broker.pid, ...descendants(broker.pid)];
      memory.push(pids.reduce((sum, pid) => sum + proportionalBytes(pid), 0));
      await broker.stop();
      return took;
    };
    await restart();
    const again = await interleave(rounds, { ours: restart, bare: bareNode });
    await rm(folder, { recursive: true });
    const megabytes = median(memory) / 1e6;
    return {
      lines: [
        {
          what: "first start on an empty disk",
          ours: milliseconds(median(first.ours)),
          against: `bare embedded PostgreSQL ${milliseconds(median(first.bare))}`,
          ratio: ratioOf(first.ours, first.bare),
          goal: atMost(3),
        },
        {
          what: "restart to ready, own database",
          ours: milliseconds(median(again.ours)),
          against: `node -e 0 ${milliseconds(median(again.bare))}`,
          ratio: ratioOf(again.ours, again.bare),
          goal: atMost(8),
        },
        {
          what: "idle broker + database",
          ours: `${megabytes.toFixed(0)} MB (${mebibytes(median(memory))})`,
          against: "180 MB, a fixed bound (Keycloak names 1,250 MB as its base)",
          ratio: megabytes / 180,
          goal: atMost(1),
        },
      ],
    };
  },
};
