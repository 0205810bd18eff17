import pg from "pg";

/** PostgreSQL's code of a failed statement, wherever the driver's wrapper put it. */
function sqlState(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ("code" in current && typeof current.code === "string") return current.code;
  }
  return undefined;
}

/**
 * A failure as it may be logged: the innermost cause's own words. A driver's wrapper names the statement with all
 * its parameters, keys and ciphertext among them.
 */
export function describeFailure(error: unknown): Record<string, unknown> {
  const cause = innermost(error);
  if (!(cause instanceof Error)) return { message: String(cause) };
  const { name, message, stack } = cause;
  return { name, message, state: sqlState(error), stack };
}

function innermost(error: unknown): unknown {
  let found = error;
  while (found instanceof Error && found.cause instanceof Error) found = found.cause;
  return found;
}

/** A row with this key was there already. */
export const isUniqueViolation = (error: unknown): boolean => sqlState(error) === "23505";

/** Others' locks were in its way, and nothing of it was done. */
export const isContention = (error: unknown): boolean =>
  ["40P01", "55P03"].includes(sqlState(error) ?? "");

/** Text that is well-formed JSON and yet no PostgreSQL text: it holds a NUL. */
export const isUnstorable = (error: unknown): boolean =>
  ["22021", "22P05"].includes(sqlState(error) ?? "");

/** PostgreSQL refused the statement, and its connection is as good as before: by the code, for its words are translated. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && !/^(08|57P|58|XX)/.test(error.code ?? "XX");

/** The tables or the connection are others than when the statement was prepared. */
export const isOutdatedPlan = (error: unknown): boolean =>
  ["0A000", "26000"].includes(sqlState(error) ?? "");

const lostCode = "CONNECTION_LOST";

/** A failure to reach the database, whoever found words for it. */
const lost = (cause: unknown): Error =>
  Object.assign(new Error("The database could not be reached.", { cause }), { code: lostCode });

/** For what rejects while a connection is opened. */
export function failAsLost(cause: unknown): never {
  throw lost(cause);
}

/** The driver's failures as ours: PostgreSQL's own and faults of this program stay what they are, the rest is a lost connection. */
export function namedFailure(error: unknown): unknown {
  const cause = innermost(error);
  const isOurFault =
    cause instanceof TypeError || cause instanceof RangeError || cause instanceof SyntaxError;
  return cause instanceof pg.DatabaseError || isOurFault ? error : lost(error);
}

/** 40 is a deadlock's victim: a migration of a newer broker takes locks that no call expects. */
const unavailableStates = /^(08|40|53|57|58)/;

/**
 * The database is away, full or shutting down. The statement may have been carried out or not: the caller
 * repeats it under the same ids.
 */
export function isUnavailable(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && (state === lostCode || unavailableStates.test(state));
}
