import { createHttpClient } from "../load/http.js";
import { interleave, median, percentile, ratioOf } from "../measure.js";
import { atMost, milliseconds, type Row } from "../row.js";
import { type Pair, seedPairs } from "../system/pairs.js";
import { clientToken } from "../system/request.js";
import { startBrokers } from "../system/server.js";
import { createBareWakeup, decisionToEvidence } from "../system/wakeup.js";

/** A decision's way to the agent that waits for it, on the phone's own broker process and on another one. */
export const wakeup: Row = {
  name: "wakeup",
  async run(bench) {
    const server = await bench.databases();
    const brokers = await startBrokers(await server.database(), 2);
    const { origin } = brokers;
    const [one, other] = brokers.ports.map((port) => createHttpClient(origin, port, 4)) as [
      ReturnType<typeof createHttpClient>,
      ReturnType<typeof createHttpClient>,
    ];
    const bare = await createBareWakeup(await server.database());
    // A person may decide sixty times a minute.
    const pairs = await seedPairs(brokers.databaseUrl, origin, bench.smoke ? 1 : 8);
    const tokens = new Map<Pair, string>();
    for (const pair of pairs) tokens.set(pair, await clientToken(pair, one));
    let turn = 0;
    const all: Record<string, number[]> = { same: [], across: [] };
    const count = bench.smoke ? 1 : 25;
    const times = async (work: () => Promise<number>): Promise<number[]> => {
      const took: number[] = [];
      for (let index = 0; index < count; index++) took.push(await work());
      return took;
    };
    const ours = (name: "same" | "across") => async () => {
      const took = await times(() => {
        const pair = pairs[turn++ % pairs.length] as Pair;
        const agent = name === "same" ? one : other;
        return decisionToEvidence(pair, tokens.get(pair) ?? "", { phone: one, agent });
      });
      all[name]?.push(...took);
      return median(took);
    };
    try {
      const found = await interleave(bench.smoke ? 1 : 4, {
        same: ours("same"),
        bare: async () => median(await times(bare.once)),
        across: ours("across"),
      });
      const p99 = (name: string): string => milliseconds(percentile(all[name] ?? [], 0.99));
      return {
        lines: [
          {
            what: "decision posted -> verified evidence, p50, 1 waiting",
            ours: `${milliseconds(median(found.same))} (p99 ${p99("same")})`,
            against: `durable UPDATE + NOTIFY -> callback ${milliseconds(median(found.bare))}`,
            ratio: ratioOf(found.same, found.bare),
            goal: atMost(4),
          },
          {
            what: "the same, agent on another broker process",
            ours: `${milliseconds(median(found.across))} (p99 ${p99("across")})`,
            against: `on one process ${milliseconds(median(found.same))}`,
            ratio: ratioOf(found.across, found.same),
            goal: atMost(1.5),
          },
        ],
      };
    } finally {
      await Promise.all([one.close(), other.close(), bare.close()]);
      await brokers.stop();
    }
  },
};
