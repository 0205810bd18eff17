import { ProtocolError, parse, randomNonce, storableLabel } from "@countersign/shared";
import { deleteAuditor, insertAuditor } from "./db/auditors.js";
import { connect, type Database } from "./db/client.js";
import { migrateDatabase } from "./db/migrate.js";
import { type Environment, StartupError } from "./env.js";
import { joinOwnDatabase, migrationsFolder, type Stops } from "./own-database.js";
import { tokenHash } from "./registration.js";

const usage = "auditor add NAME, or auditor remove NAME";

/**
 * What an operator does on the machine itself, with the configuration of the server. It may run meanwhile.
 * @returns what to print
 * @throws StartupError `wrong_use`, `name_taken`, `name_unknown`, and what keeps the server from starting
 */
export async function runCommand(env: Environment, argv: readonly string[]): Promise<string> {
  const [what, op, given, ...more] = argv;
  const change = op === "add" ? addAuditor : op === "remove" ? removeAuditor : undefined;
  if (what !== "auditor" || !change || more.length > 0) {
    throw new StartupError("wrong_use", `There is no such command. Use ${usage}.`);
  }
  const name = nameFrom(given);
  const stops: Stops = [];
  try {
    const url = env.DATABASE_URL ?? (await joinOwnDatabase(env, silent, stops));
    await migrateDatabase(url, migrationsFolder);
    const owner = connect(url, { max: 1 });
    stops.push(() => owner.close());
    return await change(owner.db, name);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

function nameFrom(given: string | undefined): string {
  try {
    return parse(storableLabel(80), given);
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw new StartupError("wrong_use", "Give a name of at most 80 characters.", { cause });
  }
}

async function addAuditor(owner: Database, name: string): Promise<string> {
  const token = randomNonce();
  if (await insertAuditor(owner, { name, hash: tokenHash(token) })) {
    return `The auditor's token, shown this once. It reads the log's records, and nothing else:\n\n  ${token}`;
  }
  throw new StartupError("name_taken", "There is an auditor of this name. Remove that one first.");
}

async function removeAuditor(owner: Database, name: string): Promise<string> {
  if (await deleteAuditor(owner, name)) return "Removed. The token is good for nothing any more.";
  throw new StartupError("name_unknown", "There is no auditor of this name.");
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };
