const userDatabase = "postgres";

/** The form that libpq documents for a Unix socket: the directory, percent-encoded, in the place of the host. */
export function socketUrl(directory: string): string {
  return `postgres://${userDatabase}@${encodeURIComponent(directory)}/${userDatabase}`;
}

/**
 * What has to be passed to `postgres(url, {...socketHost(url)})` beside the URL: that client (3.4.9) does not decode the host,
 * so it would ask DNS for "%2Ftmp%2F...". Empty for a URL that names an ordinary host.
 */
export function socketHost(url: string): { host?: string } {
  const host = decodeURIComponent(new URL(url).hostname);
  return host.startsWith("/") ? { host } : {};
}
