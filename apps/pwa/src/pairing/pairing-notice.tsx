import { visible } from "@countersign/shared";
import { strings } from "../strings.js";
import { Quoted } from "../ui/text.js";
import { pendingPairingOf } from "./pending.js";

/** Leads back to a pairing that was left in the middle. */
export function PairingNotice({ approver }: { approver: string }) {
  const pending = pendingPairingOf(approver);
  if (!pending) return null;
  return (
    <p class="notice">
      <span>
        <Quoted>{strings.pair.unfinished(visible(pending.agentName))}</Quoted>
      </span>
      <a class="inline-link" href="/pair">
        {strings.pair.goOn}
      </a>
    </p>
  );
}
