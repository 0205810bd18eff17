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
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error)
    innermost = innermost.cause;
  if (!(innermost instanceof Error)) return { message: String(innermost) };
  const { name, message, stack } = innermost;
  return { name, message, state: sqlState(error), stack };
}

/** A row with this key was there already. */
export const isUniqueViolation = (error: unknown): boolean => sqlState(error) === "23505";

/** Others' locks were in its way, and nothing of it was done. */
export const isContention = (error: unknown): boolean =>
  ["40P01", "55P03"].includes(sqlState(error) ?? "");

/** Text that is well-formed JSON and yet no PostgreSQL text: it holds a NUL. */
export const isUnstorable = (error: unknown): boolean =>
  ["22021", "22P05"].includes(sqlState(error) ?? "");

/** 40 is a deadlock's victim: a migration of a newer broker takes locks that no call expects. */
const unavailableStates = /^(08|40|53|57|58)/;
const connectionErrors = new Set([
  "CONNECTION_LOST",
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "EPIPE",
  "ETIMEDOUT",
]);

/**
 * The database is away, full or shutting down. The statement may have been carried out or not: the caller
 * repeats it under the same ids.
 */
export function isUnavailable(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && (connectionErrors.has(state) || unavailableStates.test(state));
}
