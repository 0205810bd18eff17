import type { Site } from "@countersign/shared";
import { useEffect, useState } from "preact/hooks";
import { CallError } from "../api/call.js";
import { checkInvitation, enrol } from "../api/endpoints.js";
import { useNonce } from "../api/nonce.js";
import { arrivedInvitation } from "../arrival.js";
import { sentenceFor } from "../failure.js";
import { confirmApprover, createApprover, type NewApprover } from "../keys/enrolment.js";
import { refreshSession } from "../session.js";
import { strings } from "../strings.js";
import { Mark } from "../ui/icons.js";
import { Busy, Problem, Screen } from "../ui/screen.js";

type EnrolView =
  | { kind: "checking" }
  | { kind: "invalid"; problem: string }
  | { kind: "name"; problem?: string }
  | { kind: "confirm"; created: NewApprover; problem?: string };

/** From an invitation to an approver with a passkey and an enrolled device. */
export function EnrolScreen({ site }: { site: Site }) {
  const invitation = arrivedInvitation.value ?? "";
  const [view, setView] = useState<EnrolView>({ kind: "checking" });

  useEffect(() => {
    setView({ kind: "checking" });
    checkInvitation(invitation).then(
      () => setView({ kind: "name" }),
      (error) => setView({ kind: "invalid", problem: sentenceFor(error) }),
    );
  }, [invitation]);

  switch (view.kind) {
    case "checking":
      return <Busy label={strings.welcome.checking} />;
    case "invalid":
      return (
        <Screen title={strings.welcome.invalid} class="centered">
          <Mark />
          <p role="alert">{view.problem}</p>
        </Screen>
      );
    case "name":
      return (
        <NameStep
          site={site}
          problem={view.problem}
          onDone={(created) => setView({ kind: "confirm", created })}
          onProblem={(problem) => setView({ kind: "name", problem })}
        />
      );
    case "confirm":
      return (
        <ConfirmStep
          site={site}
          created={view.created}
          invitation={invitation}
          problem={view.problem}
          onProblem={(problem, startOver) =>
            setView(
              startOver
                ? { kind: "name", problem }
                : { kind: "confirm", created: view.created, problem },
            )
          }
        />
      );
  }
}

interface NameStepProps {
  site: Site;
  problem: string | undefined;
  onDone: (created: NewApprover) => void;
  onProblem: (problem: string) => void;
}

function NameStep({ site, problem, onDone, onProblem }: NameStepProps) {
  const { nonce, renew } = useNonce("register");
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const trimmed = name.toWellFormed().trim();

  const tap = async (registerNonce: string) => {
    setBusy(true);
    try {
      onDone(await createApprover(site, trimmed, registerNonce));
    } catch (error) {
      setBusy(false);
      renew();
      onProblem(sentenceFor(error));
    }
  };

  return (
    <Screen title={strings.welcome.title} class="centered">
      <Mark />
      <p class="lead">{strings.welcome.lead(location.host)}</p>
      <label class="field">
        {strings.welcome.name}
        <input
          type="text"
          autocomplete="name"
          maxLength={80}
          value={name}
          aria-describedby="name-hint"
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <p id="name-hint" class="quiet">
        {strings.welcome.nameHint}
      </p>
      <Problem sentence={problem} />
      <button
        type="button"
        class="big primary"
        disabled={busy || trimmed === "" || nonce.value === null}
        onClick={() => nonce.value && void tap(nonce.value)}
      >
        {strings.welcome.create}
      </button>
      <p class="quiet">{strings.welcome.createHint}</p>
    </Screen>
  );
}

interface ConfirmStepProps {
  site: Site;
  created: NewApprover;
  invitation: string;
  problem: string | undefined;
  onProblem: (problem: string, startOver: boolean) => void;
}

function ConfirmStep({ site, created, invitation, problem, onProblem }: ConfirmStepProps) {
  const { nonce, renew } = useNonce("credential");
  const [busy, setBusy] = useState(false);

  const tap = async (credentialNonce: string) => {
    setBusy(true);
    try {
      await enrol(await confirmApprover(site, created, invitation, credentialNonce));
      await refreshSession();
    } catch (error) {
      // A reply that was lost may still have enrolled this phone: then the session tells.
      await refreshSession();
      setBusy(false);
      renew();
      onProblem(sentenceFor(error), error instanceof CallError && error.code === "nonce_stale");
    }
  };

  return (
    <Screen title={strings.welcome.confirmTitle} class="centered">
      <Mark />
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
