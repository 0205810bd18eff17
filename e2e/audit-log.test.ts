import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { openDatabase, type Sql } from "../apps/broker/src/testing/attack.js";
import { startTestBroker, type TestBroker } from "../apps/broker/src/testing/harness.js";
import { mirrorLog, readCopiedNotes } from "../packages/agent-client/src/cli/audit/mirror-log.js";
import {
  folderSource,
  type LogSource,
  openSource,
} from "../packages/agent-client/src/cli/audit/source.js";
import { openVerifiedLog, readHead } from "../packages/agent-client/src/cli/audit/verified-log.js";
import { verifyWholeLog } from "../packages/agent-client/src/cli/audit/verify-log.js";
import { grow, settled } from "./support/log-tampering.js";

// Whoever holds the database changes the log; whoever verifies it from outside says what was changed and where.

const tables = ["log_head", "log_entry", "log_tile_root", "leaf"];

let broker: TestBroker;
let sql: Sql;
let source: LogSource;
let logKey: string;
let directory: string;
let mirror: string;

beforeAll(async () => {
  broker = await startTestBroker();
  sql = openDatabase(broker);
  source = openSource(broker.site.origin);
  const site = (await (await fetch(`${broker.site.origin}/app/site`)).json()) as {
    log_key: string;
  };
  logKey = site.log_key;
  directory = await mkdtemp(join(tmpdir(), "countersign-mirror-"));
  mirror = join(directory, "mirror");
  // The first leaf is the invitation.
  for (const size of [200, 400, 600]) {
    await settled(sql);
    const [head] = await sql`select size::int as size from log_head`;
    await grow(sql, size - (head?.["size"] ?? 0));
    await settled(sql);
    await mirrorLog(source, mirror, logKey);
    await dump(size);
  }
});
afterAll(async () => {
  await sql.end();
  await broker.drop();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => restore(600));

async function dump(size: number): Promise<void> {
  for (const table of tables)
    await sql.pool.query(`create table ${table}_${size} as table ${table}`);
}

/** What is left of the log when an older dump of the database is put back. */
async function restore(size: number): Promise<void> {
  for (const table of tables) {
    const overriding = table === "leaf" ? "overriding system value" : "";
    await sql.pool.query(
      `truncate ${table}; insert into ${table} ${overriding} select * from ${table}_${size}`,
    );
  }
}

async function told(options: { againstMirror: boolean }): Promise<string[]> {
  const own = folderSource(mirror);
  const copied = options.againstMirror
    ? openVerifiedLog(own, await readHead(own, logKey))
    : undefined;
  const known = options.againstMirror ? await readCopiedNotes(mirror, logKey) : [];
  const { faults } = await verifyWholeLog(source, logKey, known, copied);
  return faults.map(({ what, where }) => `${what} ${where}`);
}

it("finds nothing where nothing was changed", async () => {
  expect(await told({ againstMirror: true })).toEqual([]);
});

it.each<[string, () => Promise<unknown>, alone: RegExp, againstMirror: RegExp]>([
  [
    "a byte of an entry",
    () =>
      sql`update log_entry set entry = case when entry like 'A%' then 'B' else 'A' end || substr(entry, 2, 42)
        where index = 100`,
    /^tile_differs tile\/0\/000 .* entries 0 to 255$/,
    /tile_differs tile\/0\/000/,
  ],
  [
    "an entry of the last ones",
    () =>
      sql`update log_entry set entry = (select entry from log_entry where index = 3) where index = 550`,
    /^root_differs the tree of 600/,
    /^forked entry 550 is not the one in the mirror$/m,
  ],
  [
    "the order of two entries",
    () => sql`update log_entry e set entry = o.entry from log_entry o
      where (e.index, o.index) in ((530, 531), (531, 530))`,
    /^root_differs/,
    /^forked entry 530 is not the one in the mirror$/m,
  ],
  [
    "an entry is gone",
    () => sql`delete from log_entry where index = 300`,
    /^missing tile\/entries\/001$/m,
    /^missing tile\/entries\/001$/m,
  ],
  [
    "a stored hash of a tile",
    () =>
      sql`update log_tile_root set hash = (select hash from log_tile_root where index = 0) where index = 1`,
    /^tile_differs tile\/0\/001 is not what tile\/1\/000.p\/2 says: among entries 256 to 511$/m,
    /^tile_differs tile\/0\/001/m,
  ],
  [
    "the head's root",
    () => sql`update log_head set root = ${"A".repeat(43)}`,
    /^root_differs the tree of 600 is not the one that is signed$/,
    /^root_differs/,
  ],
  [
    "the whole, put back to an older dump",
    () => restore(400),
    /^$/,
    /^rolled_back it had 600 entries, now it has 400$/,
  ],
  [
    "the whole, put back to an older dump that grew again",
    async () => {
      await restore(400);
      await grow(sql, 300);
      await settled(sql);
    },
    /^$/,
    /^forked entries before 400 are as they were, those up to 600 are not\nforked entry 400 is not the one/,
  ],
])("says what and where: %s", async (_, tamper, alone, againstMirror) => {
  await tamper();
  expect((await told({ againstMirror: false })).join("\n")).toMatch(alone);
  expect((await told({ againstMirror: true })).join("\n")).toMatch(againstMirror);
  // A mirror takes none of it, whatever it is.
  const copy = join(directory, "copy");
  await cp(mirror, copy, { recursive: true });
  const copied = await mirrorLog(source, copy, logKey).catch(() => undefined);
  await rm(copy, { recursive: true });
  expect(copied?.head.size ?? 600).toBe(600);
});
