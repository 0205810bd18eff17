import { sql } from "drizzle-orm";
import { limits } from "../domain/limits.js";
import type { Database } from "./client.js";
import { changeRow, epoch, firstRow } from "./rows.js";
import { authorizationRequest, sealedContext } from "./schema/requests.js";

/**
 * Stores ciphertext before the request that names it. Storing the same again changes nothing.
 * @param given.sealed the octets as the text that they are: the driver would send bytes as twice as many digits
 * @returns nothing when this agent has as many waiting, or as many bytes here, as it may; calls at once may exceed that by the number of connections
 */
export async function putContext(
  db: Database,
  given: { clientId: string; sealedSha256: string; sealed: string },
): Promise<{ expires_at: number } | undefined> {
  const { clientId, sealedSha256 } = given;
  return changeRow(
    db,
    "context",
    sql`insert into ${sealedContext} (client_id, sealed_sha256, octets)
      select ${clientId}, ${sealedSha256}, convert_to(${given.sealed}, 'UTF8')
      where exists (select 1 from ${sealedContext} where client_id = ${clientId} and sealed_sha256 = ${sealedSha256})
        or (select count(*) filter (where rid is null) < ${limits.unreferencedContextsPerAgent}
            and coalesce(sum(octet_length(octets)), 0) < ${limits.contextBytesPerAgent}
          from ${sealedContext} where client_id = ${clientId})
      on conflict (client_id, sealed_sha256) do update set sealed_sha256 = excluded.sealed_sha256
      returning ${epoch(sql`created_at + make_interval(secs => ${limits.unreferencedContextSeconds})`)} as expires_at`,
  );
}

/** The ciphertext was uploaded, and no request names it yet. */
export async function contextIsUnbound(
  db: Database,
  given: { clientId: string; sealedSha256: string },
): Promise<boolean> {
  const row = await firstRow(
    db,
    sql`select 1 from ${sealedContext} where client_id = ${given.clientId}
      and sealed_sha256 = ${given.sealedSha256} and rid is null`,
  );
  return row !== undefined;
}

/** The ciphertext of a request of this approver's: its context, or, by hash, whatever else is bound to it. */
export async function getContext(
  db: Database,
  given: { rid: string; approver: string; sealedSha256?: string },
): Promise<string | undefined> {
  const named = given.sealedSha256 ?? sql`r.sealed_sha256`;
  const row = await firstRow<{ sealed: string }>(
    db,
    sql`select convert_from(c.octets, 'UTF8') as sealed from ${authorizationRequest} r
      join ${sealedContext} c on c.client_id = r.client_id and c.rid = r.rid and c.sealed_sha256 = ${named}
      where r.rid = ${given.rid} and ${given.approver} = any(r.approvers)`,
  );
  return row?.sealed;
}
