import {
  type Approval,
  randomBytes,
  randomId,
  randomNonce,
  toBase64url,
} from "@countersign/shared";
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { json, rows } from "../db/rows.js";
import { agent, approver, credential, device, pairing } from "../db/schema/accounts.js";

export interface SeededApprover {
  id: string;
  credentialId: string;
  deviceKids: string[];
}

export interface World {
  approvers: SeededApprover[];
  approver(index: number): SeededApprover;
  /** A new agent, paired with all of them. @returns its client id */
  pairedAgent(): Promise<string>;
  /** Something of an approval's shape; the statements under test store it and verify nothing. */
  approval(statement: string): Approval;
}

const jwk = () => ({
  kty: "EC" as const,
  crv: "P-256" as const,
  x: randomNonce(),
  y: randomNonce(),
});

/** Rows alone, without keys that could sign: for tests of the statements below all verification. */
export async function seedWorld(
  db: Database,
  given: { approvers: number; devices: number },
): Promise<World> {
  const approvers = Array.from({ length: given.approvers }, () => ({
    id: randomId(),
    credentialId: toBase64url(randomBytes(16)),
    deviceKids: Array.from({ length: given.devices }, randomNonce),
  }));
  for (const { id, credentialId, deviceKids } of approvers) {
    await rows(db, sql`insert into ${approver} (id, name) values (${id}, 'Somebody')`);
    await rows(
      db,
      sql`insert into ${credential} (id, approver, jwk, be, counter)
        values (${credentialId}, ${id}, ${json(jwk())}, false, 0)`,
    );
    for (const kid of deviceKids) {
      await rows(
        db,
        sql`insert into ${device} (kid, approver, sig_jwk, enc_jwk)
          values (${kid}, ${id}, ${json(jwk())}, ${json(jwk())})`,
      );
    }
  }
  return {
    approvers,
    approver(index) {
      const found = approvers[index];
      if (!found) throw new Error(`no approver ${index}`);
      return found;
    },
    async pairedAgent() {
      const clientId = randomNonce();
      await rows(
        db,
        sql`insert into ${agent} (client_id, jwk, name, host)
          values (${clientId}, ${json(jwk())}, 'agent', 'host')`,
      );
      for (const { id } of approvers) {
        await rows(
          db,
          sql`insert into ${pairing} (id, client_id, approver, offer, state, expires_at)
            values (${randomNonce()}, ${clientId}, ${id}, 'jws', 'live', now())`,
        );
      }
      return clientId;
    },
    approval: (statement) => ({
      decision: "approve",
      statement,
      assertion: {
        id: statement,
        response: { clientDataJSON: "", authenticatorData: "", signature: "" },
      },
      device_signature: statement,
    }),
  };
}
