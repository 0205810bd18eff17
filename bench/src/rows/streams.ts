import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "@countersign/test-kit/broker-process";
import { createHttpClient } from "../load/http.js";
import { median, percentile, proportionalBytes } from "../measure.js";
import type { StreamKind } from "../peers/streams.js";
import {
  atMost,
  type Bench,
  kibibytes,
  type Line,
  milliseconds,
  noGoal,
  type Row,
} from "../row.js";
import { type Pair, seedPairs } from "../system/pairs.js";
import { startProgram } from "../system/program.js";
import { clientToken } from "../system/request.js";
import { startBrokers } from "../system/server.js";
import { openReaders } from "../system/streams.js";
import { decisionToEvidence } from "../system/wakeup.js";

interface Transport {
  bytesEach: number;
  wakeMilliseconds: number;
}

/** Memory of idle streams, and the time until everybody has got one event. */
async function measureTransport(kind: StreamKind, count: number): Promise<Transport> {
  const port = await freePort();
  const program = await startProgram("peers/streams.ts", kind, port);
  const collect = async () => {
    program.child.send("collect");
    await once(program.child, "message");
    return proportionalBytes(program.pid);
  };
  const before = await collect();
  const request = { path: "/", headers: {} };
  const readers = await openReaders(port, "localhost", count, async () => request);
  const bytesEach = ((await collect()) - before) / count;
  const wakes: number[] = [];
  for (let round = 0; round < 5; round++) {
    const woken = readers.everybodyWoken();
    const began = performance.now();
    program.child.send("wake");
    await woken;
    wakes.push(performance.now() - began);
  }
  readers.close();
  await program.stop();
  return { bytesEach, wakeMilliseconds: median(wakes) };
}

/** Streams that one agent may hold (apps/broker/src/domain/limits.ts). */
const streamsPerAgent = 4;

/** Lets the broker collect when it is told to, as its peers do: what lies about until then is no stream's. */
const collecting = `import { Session } from "node:inspector";
const session = new Session();
session.connect();
process.on("SIGUSR2", () => session.post("HeapProfiler.collectGarbage"));`;

/** The real broker with that many waiting agents, each authenticated by a proof of its own. */
async function measureBroker(bench: Bench, count: number) {
  const server = await bench.databases();
  const brokers = await startBrokers(await server.database(), 1, {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(collecting)}`,
  });
  const { origin, databaseUrl } = brokers;
  const [port = 0] = brokers.ports;
  const [pid = 0] = brokers.pids;
  const http = createHttpClient(origin, port, 4);
  const pairs = await seedPairs(databaseUrl, origin, Math.ceil(count / streamsPerAgent));
  bench.progress(`${pairs.length} agents made`);
  const tokens = new Map<Pair, string>();
  for (const pair of pairs) tokens.set(pair, await clientToken(pair, http));
  const collected = async (): Promise<number> => {
    process.kill(pid, "SIGUSR2");
    await sleep(bench.smoke ? 200 : 2000);
    return proportionalBytes(pid);
  };
  const before = await collected();
  const path = "/v1/events";
  const readers = await openReaders(port, new URL(origin).host, count, async (index) => {
    const pair = pairs[index % pairs.length] as Pair;
    const token = tokens.get(pair) ?? "";
    const dpop = await pair.agent.dpop("GET", path, token);
    return { path, headers: { authorization: `DPoP ${token}`, dpop } };
  });
  await sleep(bench.smoke ? 0 : 5000);
  const asLeft = proportionalBytes(pid);
  const whole = await collected();
  bench.progress(`${count} streams open`);
  const took: number[] = [];
  for (let index = 0; index < (bench.smoke ? 1 : 100); index++) {
    const pair = pairs[index % pairs.length] as Pair;
    took.push(await decisionToEvidence(pair, tokens.get(pair) ?? "", { phone: http, agent: http }));
  }
  readers.close();
  await http.close();
  await brokers.stop();
  return { bytesEach: (whole - before) / count, whole, asLeft, took };
}

/** Agents that wait: what each costs, and what they cost the one that is answered. */
export const streams: Row = {
  name: "streams",
  async run(bench) {
    const count = bench.smoke ? 40 : bench.long ? 19_000 : 10_000;
    const bare = await measureTransport("bare", count);
    const ours = await measureTransport("ours", count);
    const hono = await measureTransport("hono", count);
    bench.progress("transports measured");
    const broker = await measureBroker(bench, count);
    const p99 = percentile(broker.took, 0.99);
    const lines: Line[] = [
      {
        what: `memory for a waiting agent's stream, ${count} of them`,
        ours: kibibytes(broker.bytesEach),
        against: `bare node:http ${kibibytes(bare.bytesEach)}; Hono's streamSSE ${kibibytes(hono.bytesEach)}`,
        ratio: broker.bytesEach / bare.bytesEach,
        goal: atMost(1.3),
      },
      {
        what: "the same, before the broker collected what it had left lying",
        ours: kibibytes(broker.bytesEach + (broker.asLeft - broker.whole) / count),
        against: `after it ${kibibytes(broker.bytesEach)}`,
        ratio: 1 + (broker.asLeft - broker.whole) / count / broker.bytesEach,
        goal: noGoal,
      },
      {
        what: "the same, the transport alone",
        ours: kibibytes(ours.bytesEach),
        against: `bare node:http ${kibibytes(bare.bytesEach)}`,
        ratio: ours.bytesEach / bare.bytesEach,
        goal: noGoal,
      },
      {
        what: `waking all ${count}, the transport alone`,
        ours: milliseconds(ours.wakeMilliseconds),
        against: `bare node:http ${milliseconds(bare.wakeMilliseconds)}; streamSSE ${milliseconds(hono.wakeMilliseconds)}`,
        ratio: ours.wakeMilliseconds / bare.wakeMilliseconds,
        goal: atMost(2),
      },
      {
        what: `decision posted -> verified evidence, p99, ${count} waiting`,
        ours: `${milliseconds(p99)} (p50 ${milliseconds(median(broker.took))})`,
        against: "10 ms, a fixed bound",
        ratio: p99 / 10,
        goal: atMost(1),
      },
    ];
    const most = 19_000;
    const whole = broker.whole + (most - count) * broker.bytesEach;
    lines.push({
      what: `the whole broker with ${most} streams${count === most ? "" : `, reckoned from ${count}`}`,
      ours: `${(whole / 1e6).toFixed(0)} MB (${((whole + broker.asLeft - broker.whole) / 1e6).toFixed(0)} MB uncollected)`,
      against: "350 MB, a fixed bound",
      ratio: whole / 350e6,
      goal: atMost(1),
    });
    return { lines };
  },
};
