const userDatabase = "postgres";

/** The form that libpq documents for a Unix socket: the directory, percent-encoded, in the place of the host. */
export function socketUrl(directory: string): string {
  return `postgres://${userDatabase}@${encodeURIComponent(directory)}/${userDatabase}`;
}
