import type { RequestState } from "@countersign/shared";
import { type SQL, sql } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { faultPoint, faultsAreBuiltIn } from "../faults.js";
import type { Database } from "./client.js";

const dialect = new PgDialect();

/**
 * Runs one statement and returns its rows. Column types are the query's own promise. Drizzle writes the text and the
 * driver is called directly, for it prepares the statement, which drizzle's own call does not ask for.
 */
export async function rows<Row>(db: Database, statement: SQL): Promise<Row[]> {
  const { sql: text, params } = dialect.sqlToQuery(statement);
  return (await db.query(text, params)) as Row[];
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
