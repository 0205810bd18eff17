import pg from "pg";
import { interleave, median, ratioOf } from "../measure.js";
import { atLeast, noGoal, perSecond, type Row, rate } from "../row.js";
import { type Pair, seedPairs } from "../system/pairs.js";
import { startBrokers } from "../system/server.js";
import { prepareStateChanges } from "../system/state-changes.js";

const inFlight = 64;

/** What a wake-up through the database costs a state change: inside its statement, and coalesced beside it. */
export const notify: Row = {
  name: "notify",
  async run(bench) {
    const server = await bench.databases();
    const databaseUrl = await server.database();
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
    const beside = new pg.Pool({ connectionString: databaseUrl, max: 1 });
    const listener = new pg.Client(databaseUrl);
    await listener.connect();
    await pool.query(`create table notify_row (id int primary key, state int not null);
      insert into notify_row select i, 0 from generate_series(1, 1000) i`);
    await listener.query("listen bench");

    let waiting = false;
    let sent: Promise<unknown> = Promise.resolve();
    /** At most one hint is on its way: whatever changes meanwhile is behind the same one. */
    const hint = (): void => {
      if (waiting) return;
      waiting = true;
      setImmediate(() => {
        waiting = false;
        sent = beside.query({ name: "hint", text: "select pg_notify('bench', '')" });
      });
    };
    const count = bench.smoke ? 128 : 3000;
    const rounds = bench.smoke ? 1 : 5;
    // Two brokers hear of every change: one of its own process, and this one.
    const brokers = await startBrokers(await server.database());
    const [pair] = (await seedPairs(brokers.databaseUrl, brokers.origin, 1)) as [Pair];
    const own = await prepareStateChanges(brokers.databaseUrl, pair, 2 * rounds * count);
    const run = (change: (id: number) => Promise<unknown>) => async () => {
      let next = 0;
      const began = performance.now();
      const worker = async () => {
        for (let index = next++; index < count; index = next++) await change((index % 1000) + 1);
      };
      await Promise.all(Array.from({ length: inFlight }, worker));
      await new Promise(setImmediate);
      return rate(count, performance.now() - began);
    };
    const change = "update notify_row set state = state + 1 where id = $1";
    const without = (id: number) => pool.query({ name: "change", text: change, values: [id] });
    const notifying = `with changed as (${change} returning id)
      select pg_notify('bench', '') from changed`;
    const found = await interleave(rounds, {
      without: run(without),
      inside: run((id) => pool.query({ name: "notify", text: notifying, values: [id] })),
      beside: run((id) => without(id).then(hint)),
      ownWithout: run(own.change),
      ownBeside: run(own.changeAndTell),
    });
    await sent;
    await own.close();
    await brokers.stop();
    await Promise.all([pool.end(), beside.end(), listener.end()]);
    const against = `without ${perSecond(median(found.without))}`;
    return {
      lines: [
        {
          what: "a broker's state change with cross-process wake-up, 64 in flight",
          ours: perSecond(median(found.ownBeside)),
          against: `without ${perSecond(median(found.ownWithout))}`,
          ratio: ratioOf(found.ownBeside, found.ownWithout),
          goal: atLeast(0.9),
        },
        {
          what: "a bare state change with a coalesced NOTIFY on a connection of its own, 64 in flight",
          ours: perSecond(median(found.beside)),
          against,
          ratio: ratioOf(found.beside, found.without),
          goal: noGoal,
        },
        {
          what: "a bare state change with NOTIFY in its statement, 64 in flight",
          ours: perSecond(median(found.inside)),
          against,
          ratio: ratioOf(found.inside, found.without),
          goal: noGoal,
        },
      ],
    };
  },
};
