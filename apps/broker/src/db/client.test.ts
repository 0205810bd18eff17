import { setTimeout as sleep } from "node:timers/promises";
import { createDatabase } from "@countersign/test-kit/postgres";
import { sql } from "drizzle-orm";
import { expect, it } from "vitest";
import { connect } from "./client.js";
import { rows } from "./rows.js";

it("meets no call with a connection that is just being closed, however long the pause before it", async () => {
  const database = await createDatabase();
  const pauses = Array.from(
    { length: 60 },
    (_, index) => 3970 + index + (index >= 30 ? 2000 - 30 : 0),
  );
  const calls = pauses.map(async (pause) => {
    const { db, close } = connect(database.url, { max: 1 });
    await rows(db, sql`select 1`);
    await sleep(pause);
    await rows(db, sql`select 1`);
    await close();
  });
  const failed = (await Promise.allSettled(calls)).filter(({ status }) => status === "rejected");
  expect(failed).toEqual([]);
  await database.drop();
});
