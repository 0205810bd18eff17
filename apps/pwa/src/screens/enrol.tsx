import type { Site } from "@countersign/shared";
import { useEffect, useState } from "preact/hooks";
import { CallError } from "../api/call.js";
import { checkInvitation, enrol } from "../api/endpoints.js";
import { useNonce } from "../api/nonce.js";
import { arrivedInvitation } from "../arrival.js";
import { sentenceFor } from "../failure.js";
import { createApprover, type NewApprover } from "../keys/enrolment.js";
import { CodeStep } from "../onboarding/code-step.js";
import { ConfirmStep } from "../onboarding/confirm-step.js";
import { installWay } from "../onboarding/install.js";
import { InstallStep } from "../onboarding/install-step.js";
import { StepCount } from "../onboarding/step-count.js";
import { strings } from "../strings.js";
import { Mark } from "../ui/icons.js";
import { Busy, Problem, Screen } from "../ui/screen.js";

type EnrolView =
  | { kind: "checking" }
  | { kind: "code"; problem?: string }
  | { kind: "install"; way: "ios" | "android" }
  | { kind: "name"; problem?: string }
  | { kind: "confirm"; created: NewApprover; problem?: string };

/** From an invitation to an approver with a passkey and an enrolled device. */
export default function EnrolScreen({ site, invited }: { site: Site; invited: boolean }) {
  const arrived = arrivedInvitation.value;
  const [view, setView] = useState<EnrolView>({ kind: "checking" });

  /** Without an invitation it is the one that the server's cookie keeps. */
  const check = async (invitation: string | undefined) => {
    setView({ kind: "checking" });
    try {
      await checkInvitation(invitation);
      const way = installWay();
      setView(way ? { kind: "install", way } : { kind: "name" });
    } catch (error) {
      setView({ kind: "code", problem: sentenceFor(error) });
    }
  };
  useEffect(() => {
    if (arrived !== null || invited) void check(arrived ?? undefined);
    else setView({ kind: "code" });
  }, [arrived]);

  switch (view.kind) {
    case "checking":
      return <Busy label={strings.welcome.checking} />;
    case "code":
      return <CodeStep problem={view.problem} onCode={(code) => void check(code)} />;
    case "install":
      return (
        <InstallStep
          way={view.way}
          invitation={arrived ?? ""}
          onSkip={() => setView({ kind: "name" })}
        />
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
          problem={view.problem}
          // The server keeps the invitation since it was checked.
          onSigned={enrol}
          onFailed={(error) => {
            const problem = sentenceFor(error);
            const startOver = error instanceof CallError && error.code === "nonce_stale";
            setView(
              startOver
                ? { kind: "name", problem }
                : { kind: "confirm", created: view.created, problem },
            );
          }}
        >
          <StepCount step={2} />
        </ConfirmStep>
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
  const { welcome } = strings;

  const tap = async (registerNonce: string) => {
    setBusy(true);
    try {
      onDone(await createApprover(site, { name: trimmed }, registerNonce));
    } catch (error) {
      setBusy(false);
      renew();
      onProblem(sentenceFor(error));
    }
  };

  return (
    <Screen title={welcome.title} class="onboarding">
      <StepCount step={2} />
      <p class="server">
        <Mark />
        <span>
          <span class="quiet">{welcome.server}</span>
          <strong>{location.host}</strong>
        </span>
      </p>
      <p class="lead">{welcome.lead}</p>
      <label class="field">
        {welcome.name}
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
        {welcome.nameHint}
      </p>
      <Problem sentence={problem} />
      <button
        type="button"
        class="big primary"
        disabled={busy || trimmed === "" || nonce.value === null}
        onClick={() => nonce.value && void tap(nonce.value)}
      >
        {welcome.create}
      </button>
      <p class="quiet">{welcome.createHint}</p>
    </Screen>
  );
}
