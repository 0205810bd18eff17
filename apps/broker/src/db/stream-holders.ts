import { sql } from "drizzle-orm";
import type { Database } from "./client.js";
import { rows, textArray } from "./rows.js";
import {
  agent,
  agentFreeze,
  approver,
  chainLink,
  pairing,
  recovery,
  recoveryCode,
  session,
} from "./schema/accounts.js";
import { sessionIsAlive } from "./sessions.js";

// Who holds open streams, asked about all at once. A version says only whether something is another than before.

type Versions = Promise<Map<string, string>>;

interface Row {
  key: string;
  version: string;
}

const toMap = (found: readonly Row[]): Map<string, string> =>
  new Map(found.map(({ key, version }) => [key, version]));

/** Sessions that are alive, with a version of their account: keys, pairings, freezes, recovery. */
export async function listSessionVersions(db: Database, hashes: readonly string[]): Versions {
  const found = await rows<Row>(
    db,
    sql`select s.hash as key, concat_ws('.', a.generation,
        (select count(*) from ${chainLink} c where c.approver = a.id),
        (select count(*) || '-' || count(*) filter (where p.state = 'live')
          from ${pairing} p where p.approver = a.id),
        (select sum(f.seq) from ${agentFreeze} f where f.approver = a.id),
        (select r.id from ${recovery} r where r.approver = a.id and r.expires_at > now()),
        (select count(*) || coalesce(max(hash), '') from ${recoveryCode} k where k.approver = a.id)) as version
      from ${session} s join ${approver} a on a.id = s.approver
      where s.hash = any(${textArray(hashes)}) and ${sessionIsAlive}`,
  );
  return toMap(found);
}

/** Agents with whom somebody is paired, with a version of their freezes. */
export async function listAgentVersions(db: Database, clientIds: readonly string[]): Versions {
  const found = await rows<Row>(
    db,
    sql`select a.client_id as key, a.freezes::text as version from ${agent} a
      where a.client_id = any(${textArray(clientIds)})
        and exists (select 1 from ${pairing} p where p.client_id = a.client_id and p.state = 'live')`,
  );
  return toMap(found);
}
