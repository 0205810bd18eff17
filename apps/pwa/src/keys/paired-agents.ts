import type { EcPublicJwk } from "@countersign/shared";
import { deleteRecord, readRecord, readRecords, writeRecord } from "./database.js";

/**
 * An agent whose key this phone saw in a pairing link. Names and keys of agents come from here and from
 * nowhere else: what the server says of an agent is hearsay.
 */
export interface PairedAgent {
  approver: string;
  agent_jkt: string;
  jwk: EcPublicJwk;
  name: string;
  host: string;
  /** NumericDate */
  paired_at: number;
}

export const savePairedAgent = (agent: PairedAgent): Promise<void> => writeRecord("agents", agent);

export const findPairedAgent = (
  approver: string,
  agentJkt: string,
): Promise<PairedAgent | undefined> => readRecord("agents", [approver, agentJkt]);

export const forgetPairedAgent = (approver: string, agentJkt: string): Promise<void> =>
  deleteRecord("agents", [approver, agentJkt]);

export async function listPairedAgents(approver: string): Promise<PairedAgent[]> {
  const all = await readRecords<PairedAgent>("agents");
  return all.filter((agent) => agent.approver === approver);
}
