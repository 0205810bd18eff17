import { useEffect, useState } from "preact/hooks";
import { listPairedAgents, type PairedAgent } from "../keys/paired-agents.js";

/** The agents that this phone paired with, by their `client_id`; null until they are read. */
export function usePairedAgents(approver: string): ReadonlyMap<string, PairedAgent> | null {
  const [agents, setAgents] = useState<ReadonlyMap<string, PairedAgent> | null>(null);
  useEffect(() => {
    void listPairedAgents(approver).then((list) =>
      setAgents(new Map(list.map((agent) => [agent.agent_jkt, agent]))),
    );
  }, [approver]);
  return agents;
}
