import { visible } from "@countersign/shared";
import type { PairedAgent } from "../keys/paired-agents.js";
import { strings } from "../strings.js";
import { Rendered } from "./text.js";

/** Who an agent is, by this phone's own pairing record. */
export function AgentName({ agent }: { agent: PairedAgent | undefined }) {
  if (!agent) return <strong>{strings.inbox.unknownAgent}</strong>;
  return (
    <>
      <strong>
        <Rendered>{visible(agent.name)}</Rendered>
      </strong>
      <span class="quiet">
        {strings.agents.on} <Rendered>{visible(agent.host)}</Rendered>
      </span>
    </>
  );
}
