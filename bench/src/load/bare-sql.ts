import { randomBytes } from "node:crypto";
import { socketHost } from "@countersign/embedded-postgres";
import postgres from "postgres";
import type { Load, LoadOptions } from "./api.js";

/** As many as a broker has. */
const connections = 10;

const text = (bytes: number): string => randomBytes(bytes).toString("base64url");

/**
 * The ceiling: the six state changes of one cycle as six durable statements, each with its leaf, on tables of
 * their own, prepared once; no HTTP, no crypto, no checks. Sizes are those of a cycle's real rows.
 */
export async function openBareSql({ databaseUrl = "" }: LoadOptions): Promise<Load> {
  const sql = postgres(databaseUrl, {
    ...socketHost(databaseUrl),
    max: connections,
    onnotice: () => {},
  });
  await sql`create table if not exists bare_request (rid text primary key, state text not null, request text not null)`;
  await sql`create table if not exists bare_context (sha text primary key, octets bytea not null)`;
  await sql`create table if not exists bare_row (rid text not null, kind text not null, value text not null, primary key (rid, kind))`;
  await sql`create table if not exists bare_leaf (seq bigint generated always as identity primary key, rid text, entry text not null)`;
  const request = text(900);
  const octets = randomBytes(1100);
  const decision = text(1100);
  const outcome = text(300);

  const settle = (rid: string, state: string, value: string, entry: string) => sql`
    with changed as (update bare_request set state = ${state} where rid = ${rid} returning rid),
      written as (insert into bare_row (rid, kind, value) select rid, ${state}, ${value} from changed)
    insert into bare_leaf (rid, entry) select rid, ${entry} from changed`;

  return {
    pids: [],
    prepare: async () => {},
    async one() {
      const rid = text(16);
      await sql`insert into bare_context (sha, octets) values (${text(32)}, ${octets})`;
      await sql`with changed as (insert into bare_request (rid, state, request) values (${rid}, 'pending', ${request}) returning rid)
        insert into bare_leaf (rid, entry) select rid, ${text(32)} from changed`;
      await sql`with changed as (insert into bare_row (rid, kind, value) values (${rid}, 'ceremony', ${text(48)}) returning rid)
        insert into bare_leaf (rid, entry) select rid, ${text(32)} from changed`;
      await settle(rid, "approved", decision, text(32));
      await settle(rid, "redeemed", "", text(32));
      await settle(rid, "reported", outcome, text(32));
    },
    close: () => sql.end(),
  };
}
