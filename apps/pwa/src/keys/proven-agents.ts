import { type AgentList, ProtocolError, verifyProvenAgent } from "@countersign/shared";
import { nowSeconds } from "../clock.js";
import type { SignedIn } from "../session.js";
import { loadChain } from "./chain.js";
import { listPairedAgents, savePairedAgent } from "./paired-agents.js";

/**
 * Takes over agents that another device of this approver paired, each only by a P that verifies in the chain that
 * this phone verified itself.
 * @see protocol section 6
 */
export async function learnAgents(listed: AgentList["agents"], own: SignedIn): Promise<void> {
  const { site, approver, device } = own;
  if (!device) return;
  const known = new Set((await listPairedAgents(approver)).map(({ agent_jkt }) => agent_jkt));
  const unknown = listed.filter(({ client_id }) => !known.has(client_id));
  if (unknown.length === 0) return;
  const chain = await loadChain(own);
  for (const { agent_jwk: jwk, acceptance } of unknown) {
    try {
      const proven = await verifyProvenAgent({ agentJwk: jwk, acceptance }, { site, chain });
      const { agent_jkt, agent_name: name, agent_host: host } = proven;
      await savePairedAgent({ approver, agent_jkt, jwk, name, host, paired_at: nowSeconds() });
    } catch (error) {
      // Left among those that are not proved: the list says so.
      if (!(error instanceof ProtocolError)) throw error;
    }
  }
}
