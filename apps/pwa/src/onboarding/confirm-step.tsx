import type { Enrolment, Site } from "@countersign/shared";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import { useNonce } from "../api/nonce.js";
import { forgetInvitation } from "../arrival.js";
import { confirmApprover, type NewApprover } from "../keys/enrolment.js";
import { refreshSession } from "../session.js";
import { strings } from "../strings.js";
import { Problem, Screen } from "../ui/screen.js";

interface ConfirmStepProps {
  site: Site;
  created: NewApprover;
  problem: string | undefined;
  /** Hands the signed root to the server, which answers with a session. */
  onSigned: (enrolment: Enrolment) => Promise<void>;
  onFailed: (error: unknown) => void;
  children?: ComponentChildren;
}

/** The second tap: the new passkey vouches for this phone. */
export function ConfirmStep({
  site,
  created,
  problem,
  onSigned,
  onFailed,
  children,
}: ConfirmStepProps) {
  const { nonce, renew } = useNonce("credential");
  const { route } = useLocation();
  const [busy, setBusy] = useState(false);

  const tap = async (credentialNonce: string) => {
    setBusy(true);
    try {
      await onSigned(await confirmApprover(site, created, credentialNonce));
      // An installed app starts at the inbox; what comes next is the rest of the way.
      route("/enrol", true);
      await refreshSession();
      forgetInvitation();
    } catch (error) {
      // A reply that was lost may still have enrolled this phone: then the session tells.
      await refreshSession();
      setBusy(false);
      renew();
      onFailed(error);
    }
  };

  return (
    <Screen title={strings.welcome.confirmTitle} class="onboarding">
      {children}
      <p class="lead">{strings.welcome.confirmLead(created.name)}</p>
      <Problem sentence={problem} />
      <button
        type="button"
        class="big primary"
        disabled={busy || nonce.value === null}
        onClick={() => nonce.value && void tap(nonce.value)}
      >
        {strings.welcome.confirm}
      </button>
    </Screen>
  );
}
