import { readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createDatabase } from "@countersign/test-kit/postgres";
import { openSql } from "@countersign/test-kit/sql";
import { describe, expect, it } from "vitest";
import { migrateDatabase } from "./db/migrate.js";
import { migrationsFolder } from "./own-database.js";
import { migrate } from "./testing/harness.js";
import { nextSchema } from "./testing/next-schema.js";

// While brokers are replaced one by one, the old version works on the new schema: a migration only adds.

/** What takes away or narrows, however it is spelled. */
const contracting: Record<string, RegExp> = {
  drop: /\bdrop\s+(?:table|column|type|view|schema|constraint|index|default)\b/i,
  rename: /\brename\b/i,
  "type of a column": /\balter\s+column\s+\S+\s+(?:set\s+data\s+)?type\b/i,
  "not null": /\bset\s+not\s+null\b/i,
  "column that old inserts leave out":
    /\badd\s+column\b(?=[^;]*\bnot\s+null\b)(?![^;]*\bdefault\b)/i,
  "constraint on rows that are there": /\badd\s+constraint\b(?![^;]*\bforeign\s+key\b)/i,
  "unique index": /\bcreate\s+unique\s+index\b/i,
};

/**
 * What was decided otherwise, by migration: which of the above, and the decision's number. A step that contracts comes a
 * release after the one whose brokers no longer need what it takes away, and says so in that decision.
 */
const decided: Record<string, { kinds: string[]; decision: string }> = {
  "0001_the_log.sql": { kinds: ["constraint on rows that are there"], decision: "018" },
  "0003_leaf_entry.sql": { kinds: ["constraint on rows that are there"], decision: "018" },
};

const statementsOf = (file: string): string[] =>
  readFileSync(join(migrationsFolder, file), "utf8")
    .replaceAll(/--(?!>).*$/gm, "")
    .split("--> statement-breakpoint");

/** Tables that this very migration makes may be narrowed as it likes: no old broker knows them. */
function contractionsOf(statements: readonly string[]): string[] {
  const made = new Set(
    statements.flatMap((text) => /\bcreate\s+table\s+"?(\w+)"?/i.exec(text)?.[1] ?? []),
  );
  return statements.flatMap((text) => {
    const table = /\b(?:alter\s+table|on)\s+"?(\w+)"?/i.exec(text)?.[1];
    if (/^\s*create\s+table/i.test(text) || made.has(table ?? "")) return [];
    return Object.keys(contracting).filter((kind) => contracting[kind]?.test(text));
  });
}

const migrations = readdirSync(migrationsFolder)
  .filter((name) => name.endsWith(".sql"))
  .sort();

describe("a migration", () => {
  // Before the first there is no old broker.
  it.each(migrations.slice(1))("takes nothing away from the brokers that still run: %s", (file) => {
    expect(contractionsOf(statementsOf(file))).toEqual(decided[file]?.kinds ?? []);
  });

  it("is only let off by a decision that is there", () => {
    for (const { decision } of Object.values(decided)) {
      const decisions = readdirSync(new URL("../../../docs/decisions", import.meta.url));
      expect(decisions.some((name) => name.startsWith(`${decision}-`))).toBe(true);
    }
  });

  it.each([
    ['alter table "leaf" drop column "salt"', "drop"],
    ['ALTER TABLE "leaf" RENAME COLUMN "a" TO "b"', "rename"],
    ['alter table "leaf" alter column "seq" set data type text', "type of a column"],
    ['alter table "leaf" alter column "salt" set not null', "not null"],
    ['alter table "leaf" add column "x" text not null', "column that old inserts leave out"],
    ['alter table "leaf" add constraint "c" check (seq > 0)', "constraint on rows that are there"],
    ['create unique index "i" on "leaf" ("rid")', "unique index"],
  ])("is seen through: %s", (text, kind) => {
    expect(contractionsOf([text])).toEqual([kind]);
  });

  it.each([
    'alter table "leaf" add column "x" text',
    'alter table "leaf" add column "x" text not null default \'\'',
    'create table "new" ("id" text primary key not null)',
    'create index "i" on "leaf" ("rid")',
  ])("may add: %s", (text) => {
    expect(contractionsOf([text])).toEqual([]);
  });

  it("gives way to calls that hold its tables, and is done when they are", async () => {
    const database = await createDatabase(migrate);
    const folder = await nextSchema();
    const sql = openSql(database.url);
    let over = false;
    // One after the other, as calls of brokers: each holds what the migration wants last, and then wants what that has.
    const calls = (async () => {
      const call = await sql.pool.connect();
      while (!over) {
        await call.query("begin; lock table pairing in row exclusive mode");
        await sleep(400);
        await call.query("lock table authorization_request in row exclusive mode");
        await call.query("commit");
        await sleep(50);
      }
      call.release();
    })();
    await sleep(100);
    const migrating = migrateDatabase(database.url, folder);
    await sleep(2500);
    over = true;
    await migrating;
    await calls;
    expect(await sql`select next_note from pairing`).toEqual([]);
    await sql.end();
    await rm(folder, { recursive: true });
    await database.drop();
  });
});
