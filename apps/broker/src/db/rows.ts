import { DrizzleQueryError, type SQL, sql } from "drizzle-orm";
import { faultPoint, faultsAreBuiltIn } from "../faults.js";
import type { Database } from "./client.js";

/** Runs one statement and returns its rows. Column types are the query's own promise. */
export async function rows<Row>(db: Database, statement: SQL): Promise<Row[]> {
  try {
    return Array.from(await db.execute(statement)) as Row[];
  } catch (error) {
    throw withoutParameters(error);
  }
}

/** drizzle's error spells out statement and parameters: nonces, keys and names that no log may hold. */
const withoutParameters = (error: unknown): unknown =>
  error instanceof DrizzleQueryError ? (error.cause ?? new Error("query failed")) : error;

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

export const secondsFromNow = (seconds: number): SQL =>
  sql`now() + make_interval(secs => ${seconds}::float8)`;
