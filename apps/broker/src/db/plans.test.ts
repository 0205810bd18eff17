import { withServer } from "@countersign/test-kit/postgres-server";
import { expect, it } from "vitest";
import { pairedWorld, startTestBroker } from "../testing/harness.js";

/** One row, ever; and what the start reads once. */
const known = ["log_head", "invitation", "__drizzle_migrations"];

it("reads no table whole for a request, however few rows it had when the statement was prepared", async () => {
  const broker = await startTestBroker();
  const { agent, phone } = await pairedWorld(broker);
  for (let round = 0; round < 3; round++) {
    const asked = await agent.request();
    await phone.approve(asked.rid);
    await agent.poll(asked.rid);
    const outcome = await agent.outcomeOf(asked);
    await agent.call("POST", `/v1/requests/${asked.rid}/outcome`, { outcome });
    await phone.inbox();
  }
  // Sessions say what they did at their end.
  await broker.stop();
  const whole = await withServer(
    broker.databaseUrl,
    (sql) =>
      sql`select relname, seq_scan::int as scans from pg_stat_user_tables where seq_scan > 0`,
  );
  expect(whole.filter(({ relname }) => !known.includes(relname as string))).toEqual([]);
  await broker.drop();
});
