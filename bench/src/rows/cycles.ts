import type { LoadResult } from "../load/api.js";
import { startLoad } from "../load/start.js";
import { interleave, median, ratioOf } from "../measure.js";
import { atLeast, type Bench, type Findings, perSecond, type Row, rate } from "../row.js";
import { countTransactions, startBrokers } from "../system/server.js";

const inFlight = 16;

/** Whole red cycles a second against the peer's trip and against the bare statements. */
export const cycles: Row = {
  name: "cycles",
  async run(bench: Bench): Promise<Findings> {
    const server = await bench.databases();
    const brokers = await startBrokers(await server.database());
    const ours = await startLoad({ kind: "countersign", ...brokers, pairs: bench.smoke ? 8 : 256 });
    const alike = await startLoad({
      kind: "oidc",
      alike: true,
      databaseUrl: await server.database(),
    });
    const plain = await startLoad({ kind: "oidc", databaseUrl: await server.database() });
    const memory = await startLoad({ kind: "oidc" });
    const bare = await startLoad({ kind: "bare-sql", databaseUrl: await server.database() });
    const all = { ours, alike, plain, memory, bare };
    const counts = bench.smoke
      ? { ours: 8, alike: 8, plain: 8, memory: 8, bare: 8 }
      : { ours: 400, alike: 600, plain: 600, memory: 800, bare: 1500 };
    let transactions = Number.NaN;
    const contender =
      (name: keyof typeof all) => async (): Promise<LoadResult & { perSecond: number }> => {
        const count = counts[name];
        const before = name === "ours" ? await countTransactions(brokers.databaseUrl) : 0;
        const result = await all[name].run(count, inFlight);
        if (name === "ours") {
          transactions = ((await countTransactions(brokers.databaseUrl)) - before) / count;
        }
        const perSecond = rate(count, result.milliseconds);
        bench.progress(`${name} ${perSecond.toFixed(0)}/s`);
        return { ...result, perSecond };
      };
    try {
      // Once for nothing: compilers and caches warm up.
      const found = await interleave(bench.smoke ? 1 : 4, {
        ours: contender("ours"),
        alike: contender("alike"),
        plain: contender("plain"),
        memory: contender("memory"),
        bare: contender("bare"),
      });
      const measured = (name: keyof typeof all) => found[name].slice(bench.smoke ? 0 : 1);
      const rates = (name: keyof typeof all) => measured(name).map((result) => result.perSecond);
      const cpu = (name: keyof typeof all): string =>
        `${median(measured(name).map((result) => result.serverCpuMilliseconds / counts[name])).toFixed(2)} ms CPU`;
      const ourFigure = `${perSecond(median(rates("ours")))} (${cpu("ours")})`;
      const line = (name: "alike" | "plain" | "memory" | "bare", what: string, goal: number) => ({
        what: "red cycles at 16 in flight",
        ours: ourFigure,
        against: `${what} ${perSecond(median(rates(name)))}${name === "bare" ? "" : ` (${cpu(name)})`}`,
        ratio: ratioOf(rates("ours"), rates(name)),
        goal: atLeast(goal),
      });
      const generator = median(
        measured("ours").map((result) => result.cpuMilliseconds / result.milliseconds),
      );
      return {
        lines: [
          line("alike", "oidc-provider on PostgreSQL, checks as ours", 1),
          line("plain", "oidc-provider on PostgreSQL, private_key_jwt alone", 1),
          line("memory", "oidc-provider in memory, private_key_jwt alone", 1),
          line("bare", "the cycle's durable SQL alone", 0.3),
        ],
        notes: [
          "A cycle is eight calls of agent and phone (context, request, detail, ciphertext, ceremony, decision, token, outcome); the peer's trip is three (request, decision, token).",
          `PostgreSQL committed ${transactions.toFixed(1)} transactions for each cycle. The load generator used ${(generator * 100).toFixed(0)} % of one core meanwhile.`,
        ],
      };
    } finally {
      for (const load of Object.values(all)) await load.close();
      await brokers.stop();
    }
  },
};
