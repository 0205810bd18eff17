import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where the agent's key, pins and journal are when nobody says otherwise. Library and command must agree on it,
 * and this room alone reads the environment.
 * @see XDG Base Directory Specification
 */
export function defaultHome(): string {
  const { COUNTERSIGN_HOME, XDG_STATE_HOME } = process.env;
  if (COUNTERSIGN_HOME) return COUNTERSIGN_HOME;
  return join(XDG_STATE_HOME || join(homedir(), ".local", "state"), "countersign");
}

export const brokerFromEnvironment = (): string | undefined =>
  process.env["COUNTERSIGN_BROKER"] || undefined;
