import type { RecoveryStatus } from "@countersign/shared";
import { useEffect, useState } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import { CallError } from "../api/call.js";
import { onAccountChange } from "../api/events.js";
import { useNonce } from "../api/nonce.js";
import { sentenceFor } from "../failure.js";
import type { Device } from "../keys/device.js";
import { noteStep } from "../onboarding/steps.js";
import type { SignedIn } from "../session.js";
import { recoveryStrings as words } from "../strings/recovery.js";
import { strings } from "../strings.js";
import { Busy, Failed, Problem, Screen } from "../ui/screen.js";
import { CodeSheet } from "./code-sheet.js";
import { getRecovery, postRecovery } from "./endpoints.js";
import { makeCodes, signStop } from "./sign.js";
import { StopRecovery } from "./stop-recovery.js";

type CodesView =
  | { kind: "loading" }
  | { kind: "failed"; problem: string }
  | { kind: "ask"; status: RecoveryStatus; problem?: string; stopped?: boolean }
  | { kind: "signing"; status: RecoveryStatus }
  /** In memory only: whoever leaves this screen makes new ones. */
  | { kind: "made"; codes: string[] };

/** Recovery codes: how many are left, new ones, and a recovery that somebody began. */
export default function CodesScreen({ own }: { own: SignedIn }) {
  const [view, setView] = useState<CodesView>({ kind: "loading" });
  const { nonce, renew } = useNonce("recovery");
  const { query } = useLocation();
  const back =
    "start" in query
      ? { href: "/enrol", label: strings.practice.back }
      : { href: "/you", label: strings.you.title };
  const { site, device } = own;
  const [tries, setTries] = useState(0);

  useEffect(() => {
    const look = () =>
      void getRecovery().then(
        (status) =>
          setView((shown) => {
            // What is being signed or read is left alone.
            if (shown.kind === "signing" || shown.kind === "made") return shown;
            return shown.kind === "ask" ? { ...shown, status } : { kind: "ask", status };
          }),
        (error) =>
          setView((shown) =>
            shown.kind === "loading" ? { kind: "failed", problem: sentenceFor(error) } : shown,
          ),
      );
    look();
    return onAccountChange(look);
  }, [tries]);
  const retry = () => {
    setView({ kind: "loading" });
    setTries(tries + 1);
  };

  const make = async (status: RecoveryStatus, by: Device, brokerNonce: string) => {
    setView({ kind: "signing", status });
    let sent = false;
    try {
      const { codes, signed } = await makeCodes({ site, device: by }, brokerNonce);
      sent = true;
      await postRecovery(signed);
      noteStep("codes");
      setView({ kind: "made", codes });
    } catch (error) {
      const lost = sent && error instanceof CallError && error.code === "unreachable";
      setView({ kind: "ask", status, problem: lost ? words.lost : sentenceFor(error) });
    }
    renew();
  };

  const stop = async (status: RecoveryStatus, recoveryId: string, by: Device) => {
    setView({ kind: "signing", status });
    try {
      const after = await postRecovery(await signStop({ site, device: by }, recoveryId));
      setView({ kind: "ask", status: after, stopped: true });
    } catch (error) {
      setView({ kind: "ask", status, problem: sentenceFor(error) });
    }
  };

  return (
    <Screen title={words.title} back={back}>
      {view.kind === "loading" && <Busy label={strings.loading} />}
      {view.kind === "failed" && <Failed sentence={view.problem} onRetry={retry} />}
      {view.kind === "made" && (
        <>
          <p class="lead">{words.madeLead}</p>
          <CodeSheet codes={view.codes} name={own.name} />
          <a class="big primary" href={back.href}>
            {words.kept}
          </a>
        </>
      )}
      {(view.kind === "ask" || view.kind === "signing") && (
        <>
          {view.status.pending && (
            <StopRecovery
              readyAt={view.status.pending.ready_at}
              startedAt={view.status.pending.started_at}
              onStop={
                device && view.kind === "ask"
                  ? () => void stop(view.status, view.status.pending?.recovery_id ?? "", device)
                  : null
              }
            />
          )}
          {view.kind === "ask" && view.stopped && (
            <p class="lead" role="status">
              {words.stopped}
            </p>
          )}
          <p>{words.lead}</p>
          <ul class="bullets">
            {words.facts.map((fact) => (
              <li key={fact}>{fact}</li>
            ))}
          </ul>
          <p class="codes-left" data-testid="codes-left">
            {words.left(view.status.codes_left)}
          </p>
          {view.kind === "ask" && <Problem sentence={view.problem} />}
          {device ? (
            <button
              type="button"
              class={view.status.codes_left > 0 ? "big" : "big primary"}
              disabled={view.kind === "signing" || nonce.value === null}
              onClick={() => nonce.value !== null && void make(view.status, device, nonce.value)}
            >
              {view.status.codes_left > 0 ? words.makeNew : words.make}
            </button>
          ) : (
            <p class="quiet">{words.notEnrolled}</p>
          )}
          {view.status.codes_left > 0 && <p class="quiet">{words.replaces}</p>}
        </>
      )}
    </Screen>
  );
}
