import type { Client } from "pg";
import { StartupError } from "../env.js";

/** The role that the broker works as. It owns nothing, and can change no table. */
export const brokerRole = "countersign_broker";

const readAndAdd = "select, insert";
const neverRemoved = "select, insert, update";

/** What the broker's role may do with a table, where that is not everything: no bug of ours unmakes what was logged. */
const privileges: Record<string, string> = {
  // Its place in the tree is the one thing that a leaf learns later.
  leaf: `${readAndAdd}, update (log_index)`,
  log_entry: readAndAdd,
  log_tile_root: readAndAdd,
  log_head: neverRemoved,
  decision: readAndAdd,
  outcome: readAndAdd,
  chain_link: readAndAdd,
  authorization_request: neverRemoved,
  approver: neverRemoved,
  // The operator makes and ends them, as the owner.
  auditor: "select",
  credential: neverRemoved,
  device: neverRemoved,
};

/**
 * Makes the broker's role if it is not there, and gives it what it needs of this database and no more.
 * @param owner signed in as the owner of the tables
 * @throws StartupError `database_role_missing` where the owner may make no roles
 */
export async function grantToBroker(owner: Client): Promise<void> {
  const existing = await owner.query("select from pg_roles where rolname = $1", [brokerRole]);
  if (existing.rowCount === 0)
    await owner.query(`create role ${brokerRole} nologin`).catch(onFailure);
  if (!(await mayBecome(owner))) {
    await owner.query(`grant ${brokerRole} to current_user`).catch(onFailure);
  }
  const narrowed = Object.entries(privileges).map(
    ([table, allowed]) =>
      `revoke all on ${table} from ${brokerRole}; grant ${allowed} on ${table} to ${brokerRole};`,
  );
  // A temporary table would be read in place of the one of its name.
  const makesNothing = `do $$ begin
    if has_database_privilege('${brokerRole}', current_database(), 'temporary') then
      execute format('revoke temporary on database %I from public', current_database());
    end if;
  end $$;`;
  // One round trip is one transaction: another broker at work never finds itself without its rights.
  await owner.query(
    `grant usage on schema public to ${brokerRole};
     grant select, insert, update, delete on all tables in schema public to ${brokerRole};
     ${narrowed.join("\n")} ${makesNothing}`,
  );
}

/** PostgreSQL 16 tells apart who administers a role and who may become it. */
async function mayBecome(owner: Client): Promise<boolean> {
  const { rows } = await owner.query<{ may: boolean }>(
    `select pg_has_role(current_user, $1,
      case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end) as may`,
    [brokerRole],
  );
  return rows[0]?.may === true;
}

/** Roles belong to all databases of a server: a broker on another one may have been first. */
const madeMeanwhile = ["42710", "23505"];

function onFailure(error: { code?: string }): void {
  if (error.code === "42501") {
    throw new StartupError(
      "database_role_missing",
      `The account in DATABASE_URL may make no roles. As an administrator run: CREATE ROLE ${brokerRole} NOLOGIN (unless it is there); GRANT ${brokerRole} TO that account.`,
      { cause: error },
    );
  }
  if (!madeMeanwhile.includes(error.code ?? "")) throw error;
}
