import {
  type Approval,
  randomBytes,
  randomId,
  randomNonce,
  toBase64url,
} from "@countersign/shared";
import type { Database } from "../db/client.js";
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
    await db.insert(approver).values({ id, name: "Somebody" });
    await db
      .insert(credential)
      .values({ id: credentialId, approver: id, jwk: jwk(), be: false, counter: 0 });
    await db
      .insert(device)
      .values(deviceKids.map((kid) => ({ kid, approver: id, sigJwk: jwk(), encJwk: jwk() })));
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
      await db.insert(agent).values({ clientId, jwk: jwk(), name: "agent", host: "host" });
      await db.insert(pairing).values(
        approvers.map(({ id }) => ({
          id: randomNonce(),
          ...{ clientId, approver: id, offer: "jws", state: "live" },
          expiresAt: new Date(),
        })),
      );
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
