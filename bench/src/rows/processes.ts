import { availableParallelism } from "node:os";
import { startLoad } from "../load/start.js";
import { cpuMilliseconds, interleave, median, ratioOf } from "../measure.js";
import { noGoal, perSecond, type Row, rate } from "../row.js";
import { databaseProcesses } from "../system/processes.js";
import { startBrokers } from "../system/server.js";

/** Two and four broker processes on one database, against one. */
export const processes: Row = {
  name: "processes",
  async run(bench) {
    const server = await bench.databases();
    const pairs = bench.smoke ? 4 : 192;
    const open = async (count: number) => {
      const brokers = await startBrokers(await server.database(), count);
      return { brokers, load: await startLoad({ kind: "countersign", ...brokers, pairs }) };
    };
    const all = { one: await open(1), two: await open(2), four: await open(4) };
    const count = bench.smoke ? 4 : 300;
    const databaseCpu = () =>
      databaseProcesses().reduce((sum, pid) => sum + cpuMilliseconds(pid), 0);
    const cores: Record<string, string> = {};
    const contender = (name: keyof typeof all) => async () => {
      const before = databaseCpu();
      const result = await all[name].load.run(count, 32);
      const { milliseconds: took, serverCpuMilliseconds: brokers, cpuMilliseconds: own } = result;
      const busy = [brokers, databaseCpu() - before, own].map((cpu) => (cpu / took).toFixed(2));
      cores[name] = `brokers ${busy[0]}, PostgreSQL ${busy[1]}, load generator ${busy[2]}`;
      const perSecond = rate(count, took);
      bench.progress(`${name} ${perSecond.toFixed(0)}/s`);
      return perSecond;
    };
    try {
      const found = await interleave(bench.smoke ? 1 : 4, {
        one: contender("one"),
        two: contender("two"),
        four: contender("four"),
      });
      const measured = (name: keyof typeof all) => found[name].slice(bench.smoke ? 0 : 1);
      const line = (name: "two" | "four") => ({
        what: `red cycles at 32 in flight, ${name} broker processes`,
        ours: perSecond(median(measured(name))),
        against: `one process ${perSecond(median(measured("one")))}`,
        ratio: ratioOf(measured(name), measured("one")),
        goal: noGoal,
      });
      return {
        lines: [line("two"), line("four")],
        notes: [
          `Cores busy under 32 red cycles in flight: one broker process: ${cores["one"]}; two: ${cores["two"]}; four: ${cores["four"]}. Of ${availableParallelism()} there are. Where their sum is all there are, more processes give nothing: cores move that knee, and then PostgreSQL's commits do.`,
        ],
        curves: [
          {
            title: "Red cycles a second by broker processes on one database",
            x: "broker processes",
            y: "cycles/s",
            points: [
              { label: "1", value: median(measured("one")) },
              { label: "2", value: median(measured("two")) },
              { label: "4", value: median(measured("four")) },
            ],
          },
        ],
      };
    } finally {
      for (const { brokers, load } of Object.values(all)) {
        await load.close();
        await brokers.stop();
      }
    }
  },
};
