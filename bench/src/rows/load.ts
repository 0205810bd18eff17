import { startLoad } from "../load/start.js";
import { median, percentile } from "../measure.js";
import { milliseconds, noGoal, perSecond, type Row, rate } from "../row.js";
import { startBrokers } from "../system/server.js";

/** One broker process under more and more at once: where the rate stops growing and only the wait does. */
export const load: Row = {
  name: "load",
  async run(bench) {
    const server = await bench.databases();
    const brokers = await startBrokers(await server.database());
    const pairs = bench.smoke ? 4 : 256;
    const generator = await startLoad({ kind: "countersign", ...brokers, pairs });
    const levels = bench.smoke ? [1, 4] : [1, 4, 16, 64];
    const points: { inFlight: number; rate: number; p50: number; p99: number }[] = [];
    await generator.run(bench.smoke ? 4 : 200, 8);
    for (const inFlight of levels) {
      const count = bench.smoke ? 4 : 100 + inFlight * 4;
      const { milliseconds: took, took: each } = await generator.run(count, inFlight);
      points.push({
        inFlight,
        rate: rate(count, took),
        p50: median(each),
        p99: percentile(each, 0.99),
      });
      bench.progress(`${inFlight} in flight: ${perSecond(rate(count, took))}`);
    }
    await generator.close();
    await brokers.stop();
    const [first, last] = [points[0], points.at(-1)];
    const curve = (
      title: string,
      y: string,
      value: (point: (typeof points)[number]) => number,
    ) => ({
      title,
      x: "red cycles in flight",
      y,
      points: points.map((point) => ({ label: String(point.inFlight), value: value(point) })),
    });
    return {
      lines: [
        {
          what: `a whole cycle's time at ${last?.inFlight} in flight, p50`,
          ours: `${milliseconds(last?.p50 ?? Number.NaN)} (p99 ${milliseconds(last?.p99 ?? Number.NaN)})`,
          against: `alone ${milliseconds(first?.p50 ?? Number.NaN)}`,
          ratio: (last?.p50 ?? Number.NaN) / (first?.p50 ?? Number.NaN),
          goal: noGoal,
        },
      ],
      curves: [
        curve(
          "Red cycles a second by how many are in flight, one broker process",
          "cycles/s",
          ({ rate: value }) => value,
        ),
        curve("Milliseconds of a whole red cycle, p50", "ms", ({ p50 }) => p50),
      ],
    };
  },
};
