import { sql } from "drizzle-orm";
import { limits } from "../domain/limits.js";
import type { Database } from "./client.js";
import { changeRow, epoch, firstRow } from "./rows.js";
import { authorizationRequest, sealedContext } from "./schema.js";

/**
 * Stores ciphertext before the request that names it. Storing the same octets again changes nothing.
 * @returns nothing when this agent has as many waiting, or as many bytes here, as it may; calls at once may exceed that by the number of connections
 */
export async function putContext(
  db: Database,
  given: { clientId: string; sealedSha256: string; octets: Uint8Array },
): Promise<{ expires_at: number } | undefined> {
  const { clientId, sealedSha256 } = given;
  return changeRow(
    db,
    "context",
    sql`insert into ${sealedContext} (client_id, sealed_sha256, octets)
      select ${clientId}, ${sealedSha256}, ${given.octets}::bytea
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
): Promise<Uint8Array | undefined> {
  const named = given.sealedSha256 ?? sql`r.sealed_sha256`;
  const row = await firstRow<{ octets: Uint8Array }>(
    db,
    sql`select c.octets from ${authorizationRequest} r
      join ${sealedContext} c on c.client_id = r.client_id and c.rid = r.rid and c.sealed_sha256 = ${named}
      where r.rid = ${given.rid} and ${given.approver} = any(r.approvers)`,
  );
  return row?.octets;
}
