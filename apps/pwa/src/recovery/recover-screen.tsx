import type { Enrolment, RecoveryStarted, Site } from "@countersign/shared";
import { chainHead, fromBase64url } from "@countersign/shared";
import { useState } from "preact/hooks";
import { CallError } from "../api/call.js";
import { useNonce } from "../api/nonce.js";
import { nowSeconds } from "../clock.js";
import { sentenceFor } from "../failure.js";
import { rememberChain } from "../keys/chain.js";
import { createApprover, type NewApprover } from "../keys/enrolment.js";
import { forgetPairedAgent, listPairedAgents } from "../keys/paired-agents.js";
import { ConfirmStep } from "../onboarding/confirm-step.js";
import { recoveryStrings as words } from "../strings/recovery.js";
import { strings } from "../strings.js";
import { localTime } from "../times.js";
import { CodeForm } from "../ui/code-form.js";
import { Busy, Problem, Screen } from "../ui/screen.js";
import { beginRecovery, finishRecovery } from "./endpoints.js";

interface Recovering {
  code: string;
  started: RecoveryStarted;
}

type RecoverView =
  | { kind: "code"; problem?: string }
  | { kind: "checking" }
  | { kind: "waiting"; started: RecoveryStarted }
  | { kind: "ready"; given: Recovering; problem?: string }
  | { kind: "confirm"; given: Recovering; created: NewApprover; problem?: string };

/** For whoever lost every phone: a code begins the recovery, and after a day the same code ends it. */
export default function RecoverScreen({ site }: { site: Site }) {
  const [view, setView] = useState<RecoverView>({ kind: "code" });

  const begin = async (code: string) => {
    setView({ kind: "checking" });
    try {
      const started = await beginRecovery(code);
      const ready = started.ready_at <= nowSeconds();
      setView(ready ? { kind: "ready", given: { code, started } } : { kind: "waiting", started });
    } catch (error) {
      setView({ kind: "code", problem: sentenceFor(error) });
    }
  };

  switch (view.kind) {
    case "code":
      return <CodeStep problem={view.problem} onCode={(code) => void begin(code)} />;
    case "checking":
      return <Busy label={words.checking} />;
    case "waiting":
      return <Waiting started={view.started} />;
    case "ready":
      return (
        <NewPasskey
          site={site}
          started={view.given.started}
          problem={view.problem}
          onDone={(created) => setView({ kind: "confirm", given: view.given, created })}
          onProblem={(problem) => setView({ kind: "ready", given: view.given, problem })}
        />
      );
    case "confirm": {
      const { given, created } = view;
      return (
        <ConfirmStep
          site={site}
          created={created}
          problem={view.problem}
          onSigned={(enrolment) => takeOver(given.code, created, enrolment)}
          onFailed={(error) => {
            const problem = sentenceFor(error);
            const startOver = error instanceof CallError && error.code === "nonce_stale";
            setView(
              startOver
                ? { kind: "ready", given, problem }
                : { kind: "confirm", given, created, problem },
            );
          }}
        />
      );
    }
  }
}

/** The account's chain begins anew with this phone's root, and every pairing of before is over. */
async function takeOver(
  code: string,
  { approver }: NewApprover,
  { register_nonce, registration, root }: Enrolment,
): Promise<void> {
  await finishRecovery({ code, register_nonce, registration, root });
  const head = chainHead(fromBase64url(root.statement));
  await rememberChain(approver, { seq: 0, head });
  for (const { agent_jkt } of await listPairedAgents(approver)) {
    await forgetPairedAgent(approver, agent_jkt);
  }
}

interface CodeStepProps {
  problem: string | undefined;
  onCode: (code: string) => void;
}

function CodeStep({ problem, onCode }: CodeStepProps) {
  return (
    <Screen title={words.useTitle} class="onboarding">
      <p class="lead">{words.useLead}</p>
      <CodeForm
        label={words.code}
        example="XXXXX-XXXXX-XXXXX-XXXXX"
        button={words.begin}
        problem={problem}
        onCode={onCode}
      />
      <Doorway />
    </Screen>
  );
}

function Waiting({ started }: { started: RecoveryStarted }) {
  return (
    <Screen title={words.waitingTitle(started.name)} class="onboarding">
      <p class="lead" role="status">
        {words.waitingLead(localTime(started.ready_at))}
      </p>
      <ul class="bullets">
        {words.waitingFacts.map((fact) => (
          <li key={fact}>{fact}</li>
        ))}
      </ul>
      <Doorway />
    </Screen>
  );
}

const Doorway = () => (
  <a class="big quiet-button" href="/">
    {words.doorway}
  </a>
);

interface NewPasskeyProps {
  site: Site;
  started: RecoveryStarted;
  problem: string | undefined;
  onDone: (created: NewApprover) => void;
  onProblem: (problem: string) => void;
}

function NewPasskey({ site, started, problem, onDone, onProblem }: NewPasskeyProps) {
  const { welcome } = strings;
  const { nonce, renew } = useNonce("register");
  const [busy, setBusy] = useState(false);
  const tap = async (registerNonce: string) => {
    setBusy(true);
    try {
      const holder = { id: started.approver, name: started.name };
      onDone(await createApprover(site, holder, registerNonce));
    } catch (error) {
      setBusy(false);
      renew();
      onProblem(sentenceFor(error));
    }
  };
  return (
    <Screen title={words.readyTitle(started.name)} class="onboarding">
      <p class="lead">{words.readyLead}</p>
      <Problem sentence={problem} />
      <button
        type="button"
        class="big primary"
        disabled={busy || nonce.value === null}
        onClick={() => nonce.value && void tap(nonce.value)}
      >
        {welcome.create}
      </button>
      <Doorway />
    </Screen>
  );
}
