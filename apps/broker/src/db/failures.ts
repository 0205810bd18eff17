/** PostgreSQL's code of a failed statement, wherever the driver's wrapper put it. */
function sqlState(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ("code" in current && typeof current.code === "string") return current.code;
  }
  return undefined;
}

/** A row with this key was there already. */
export const isUniqueViolation = (error: unknown): boolean => sqlState(error) === "23505";

const unavailableStates = /^(08|53|57|58)/;
const connectionErrors = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECTION_ENDED",
  "CONNECT_TIMEOUT",
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
