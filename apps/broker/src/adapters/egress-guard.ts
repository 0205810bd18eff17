import { Agent } from "node:https";
import { isIP } from "node:net";
import { publicLookup, type Resolve, refusal } from "@countersign/egress";

/**
 * Opens TLS connections to public addresses only, for URLs that clients chose: to the very addresses that were checked.
 * A proxy from the environment is never used.
 */
export function createEgressAgent(resolve?: Resolve): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 32, lookup: publicLookup(resolve) });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    // Node looks up no name where there is none: an address would go past the lookup above.
    if (isIP(options.host ?? "") !== 0) throw refusal();
    return connect(options, callback);
  };
  return agent;
}
