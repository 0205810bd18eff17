import type { ClientConfig } from "pg";
import { parseIntoClientConfig } from "pg-connection-string";
import { StartupError } from "../env.js";

/** What else the driver would read from a URL's query changes how it works, or is passed over in silence. */
const understood = new Set([
  ...["host", "port", "options", "application_name"],
  ...["sslmode", "sslrootcert", "sslcert", "sslkey"],
]);

/**
 * How to reach the database, by its URL alone: what the driver takes from the environment where it is told nothing
 * (TLS, options) is told here.
 * @param settings of PostgreSQL, for each connection; they stand before the URL's own
 * @throws StartupError `database_url_unusable`
 */
export function clientConfig(databaseUrl: string, settings: Record<string, string>): ClientConfig {
  const { host, port, user, password, database, ssl, options } = readUrl(databaseUrl);
  const own = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  return {
    ...{ host, port, user, password, database },
    // As libpq has it: nobody is in between on a socket.
    ssl: host?.startsWith("/") ? false : (ssl ?? false),
    // The last one counts.
    options: [...(options ? [options] : []), ...own].join(" "),
    application_name: "countersign-broker",
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

function readUrl(databaseUrl: string): ClientConfig {
  try {
    const names = [...new URL(databaseUrl).searchParams.keys()];
    const [unknown] = names.filter((name) => !understood.has(name));
    if (unknown === undefined) return parseIntoClientConfig(databaseUrl);
  } catch (cause) {
    throw unusable(
      "DATABASE_URL is none, or names a file that cannot be read. It looks like postgres://user:password@host/name.",
      cause,
    );
  }
  throw unusable(
    `DATABASE_URL may have no other settings than ${[...understood].join(", ")}. For TLS: sslmode=verify-full. PostgreSQL's own go into options.`,
  );
}

const unusable = (sentence: string, cause?: unknown): StartupError =>
  new StartupError("database_url_unusable", sentence, { cause });
