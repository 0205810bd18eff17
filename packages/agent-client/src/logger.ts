/**
 * Where the library tells what it does. It passes ids, states and codes only: never arguments, pictures, keys,
 * tokens, links or what a server wrote.
 */
export interface Logger {
  info(message: string, facts: Readonly<Record<string, string | number>>): void;
  warn(message: string, facts: Readonly<Record<string, string | number>>): void;
}

export const silent: Logger = { info: () => {}, warn: () => {} };
