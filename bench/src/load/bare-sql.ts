import { randomBytes } from "node:crypto";
import pg from "pg";
import type { Load, LoadOptions } from "./api.js";

/** As many as a broker has. */
const connections = 10;

const text = (bytes: number): string => randomBytes(bytes).toString("base64url");

const tables = `
  create table if not exists bare_request (rid text primary key, state text not null, request text not null);
  create table if not exists bare_context (sha text primary key, octets bytea not null);
  create table if not exists bare_row (rid text not null, kind text not null, value text not null, primary key (rid, kind));
  create table if not exists bare_leaf (seq bigint generated always as identity primary key, rid text, entry text not null);`;

/** By their names they are prepared once on each connection. */
const statements = {
  upload: "insert into bare_context (sha, octets) values ($1, $2)",
  request: `
    with changed as (insert into bare_request (rid, state, request) values ($1, 'pending', $2) returning rid)
    insert into bare_leaf (rid, entry) select rid, $3 from changed`,
  open: `
    with changed as (insert into bare_row (rid, kind, value) values ($1, 'ceremony', $2) returning rid)
    insert into bare_leaf (rid, entry) select rid, $3 from changed`,
  settle: `
    with changed as (update bare_request set state = $2 where rid = $1 returning rid),
      written as (insert into bare_row (rid, kind, value) select rid, $2, $3 from changed)
    insert into bare_leaf (rid, entry) select rid, $4 from changed`,
};

/**
 * The ceiling: the six state changes of one cycle as six durable statements, each with its leaf, on tables of
 * their own, prepared once; no HTTP, no crypto, no checks. Sizes are those of a cycle's real rows.
 */
export async function openBareSql({ databaseUrl = "" }: LoadOptions): Promise<Load> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: connections });
  await pool.query(tables);
  const request = text(900);
  const octets = randomBytes(1100);
  const decision = text(1100);
  const outcome = text(300);

  const run = (name: keyof typeof statements, ...values: (string | Buffer)[]) =>
    pool.query({ name, text: statements[name], values });

  return {
    pids: [],
    prepare: async () => {},
    async one() {
      const rid = text(16);
      await run("upload", text(32), octets);
      await run("request", rid, request, text(32));
      await run("open", rid, text(48), text(32));
      await run("settle", rid, "approved", decision, text(32));
      await run("settle", rid, "redeemed", "", text(32));
      await run("settle", rid, "reported", outcome, text(32));
    },
    close: () => pool.end(),
  };
}
