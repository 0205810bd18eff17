import type { RequestState } from "@countersign/shared";
import { type SQL, sql } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { faultPoint, faultsAreBuiltIn } from "../faults.js";
import type { Database } from "./client.js";

const dialect = new PgDialect();

/**
 * Runs one statement and returns its rows. Column types are the query's own promise. Each connection prepares a
 * statement once, which drizzle's own call never asks for: its text must not vary with its data.
 */
export async function rows<Row>(db: Database, statement: SQL): Promise<Row[]> {
  const { sql: text, params } = dialect.sqlToQuery(statement);
  const found = await db.$client.unsafe(text, params as never[], { prepare: true });
  // Without one no statement ended: the driver took another word of the server for its end.
  if (!found.command) {
    throw Object.assign(new Error("The statement was lost."), { code: "CONNECTION_CLOSED" });
  }
  // The driver goes on counting where a lost connection broke off (its `rows`): an answer may begin with as many holes,
  // which would read as "no such row". Filtering passes over holes.
  return found.filter(() => true) as unknown as Row[];
}

export async function firstRow<Row = Record<string, unknown>>(
  db: Database,
  statement: SQL,
): Promise<Row | undefined> {
  const [row] = await rows<Row>(db, statement);
  return row;
}

/**
 * Runs the one statement of a step that changes something for good.
 * @param step the step's name, for tests that end the process just before or after it
 */
export async function changeRow<Row = Record<string, unknown>>(
  db: Database,
  step: string,
  statement: SQL,
): Promise<Row | undefined> {
  if (faultsAreBuiltIn) await faultPoint(`${step}:before`);
  const row = await firstRow<Row>(db, statement);
  if (faultsAreBuiltIn) await faultPoint(`${step}:after`);
  return row;
}

/** NumericDate of a column. */
export const epoch = (column: SQL): SQL => sql`floor(extract(epoch from ${column}))::float8`;

/** A list as one parameter. */
export const textArray = (values: readonly string[]): SQL =>
  sql`array(select jsonb_array_elements_text(${JSON.stringify(values)}::jsonb))`;

export const json = (value: unknown): SQL => sql`${JSON.stringify(value)}::jsonb`;

/** States as part of a statement's text. */
export const words = (values: readonly RequestState[]): SQL =>
  sql.raw(values.map((value) => `'${value}'`).join(", "));

export const secondsFromNow = (seconds: number): SQL =>
  sql`now() + make_interval(secs => ${seconds}::float8)`;
