import { expect, test } from "vitest";
import { createDatabase } from "./postgres.js";
import { withServer } from "./postgres-server.js";

const tables = (url: string): Promise<string[]> =>
  withServer(url, async (sql) => {
    const rows = await sql`select tablename from pg_tables where schemaname = 'public'`;
    return rows.map(({ tablename }) => tablename);
  });

test("gives databases that do not see each other, and drops them", async () => {
  const [first, second] = await Promise.all([createDatabase(), createDatabase()]);
  await withServer(first.url, (sql) => sql`create table note (text text)`);
  expect(await tables(first.url)).toEqual(["note"]);
  expect(await tables(second.url)).toEqual([]);
  await first.drop();
  await second.drop();
  await expect(tables(first.url)).rejects.toMatchObject({ code: "3D000" });
});

test("migrates once for all the databases that ask for it at the same time", async () => {
  let runs = 0;
  const migrate = async (url: string) => {
    runs += 1;
    await withServer(url, (sql) => sql`create table migrated (id int)`);
  };
  const databases = await Promise.all([1, 2, 3].map(() => createDatabase(migrate)));
  expect(await Promise.all(databases.map(({ url }) => tables(url)))).toEqual(
    databases.map(() => ["migrated"]),
  );
  expect(runs).toBe(1);
  await Promise.all(databases.map(({ drop }) => drop()));
});
