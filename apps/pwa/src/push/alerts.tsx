import type { PushState } from "@countersign/shared";
import { useEffect, useState } from "preact/hooks";
import { sentenceFor } from "../failure.js";
import type { SignedIn } from "../session.js";
import { alertsStrings } from "../strings/alerts.js";
import { strings } from "../strings.js";
import { localDate, localTime } from "../times.js";
import { Busy, Failed, Problem } from "../ui/screen.js";
import { getPush } from "./endpoints.js";
import { pushSupport, type Support, turnOff, turnOn } from "./subscription.js";
import { TestAlert } from "./test-alert.js";

type AlertsView =
  | { kind: "loading" }
  | { kind: "failed"; problem: string }
  | { kind: "impossible"; why: Exclude<Support, "possible"> }
  | { kind: "off"; problem?: string; busy?: boolean }
  | { kind: "on"; subscription: NonNullable<PushState["subscription"]>; problem?: string };

/** The settings' section on alerts: whether this device gets them, a test, and what to check. */
export function Alerts({ own }: { own: SignedIn }) {
  const { alerts } = alertsStrings;
  const [view, setView] = useState<AlertsView>({ kind: "loading" });

  const load = async () => {
    const support = pushSupport();
    if (support !== "possible") return setView({ kind: "impossible", why: support });
    try {
      const { subscription } = await getPush();
      setView(subscription ? { kind: "on", subscription } : { kind: "off" });
    } catch (error) {
      setView({ kind: "failed", problem: sentenceFor(error) });
    }
  };
  useEffect(() => void load(), []);

  const on = async () => {
    setView({ kind: "off", busy: true });
    try {
      const result = await turnOn(own.device?.kid);
      if (result === "subscribed") return await load();
      if (result === "blocked" && pushSupport() !== "possible") return await load();
      setView({ kind: "off", problem: alerts.failed[result] });
    } catch (error) {
      setView({ kind: "off", problem: sentenceFor(error) });
    }
  };
  const off = async () => {
    try {
      await turnOff();
      await load();
    } catch (error) {
      setView((shown) => (shown.kind === "on" ? { ...shown, problem: sentenceFor(error) } : shown));
    }
  };

  return (
    <section aria-labelledby="alerts">
      <h2 id="alerts">{alerts.title}</h2>
      {view.kind === "loading" && <Busy label={strings.loading} />}
      {view.kind === "failed" && <Failed sentence={view.problem} onRetry={() => void load()} />}
      {view.kind === "impossible" && <p class="quiet">{alerts.impossible[view.why]}</p>}
      {view.kind === "off" && (
        <>
          <p class="quiet">{alerts.offText}</p>
          <Problem sentence={view.problem} />
          <button type="button" class="big primary" disabled={view.busy} onClick={() => void on()}>
            {view.busy ? alerts.turningOn : alerts.turnOn}
          </button>
        </>
      )}
      {view.kind === "on" && (
        <>
          <State subscription={view.subscription} />
          <TestAlert onDone={() => void load()} />
          <Problem sentence={view.problem} />
          <button type="button" class="big quiet-button" onClick={() => void off()}>
            {alerts.turnOff}
          </button>
        </>
      )}
    </section>
  );
}

function State({ subscription }: { subscription: NonNullable<PushState["subscription"]> }) {
  const { alerts } = alertsStrings;
  const { since, last } = subscription;
  return (
    <div class="item">
      <span class="item-main">
        <strong>{alerts.on}</strong>
        <span class="quiet">{alerts.since(localDate(since))}</span>
        {last && (
          <span class="quiet">
            {alerts.last(alerts.outcomes[last.outcome], localTime(last.at))}
          </span>
        )}
      </span>
    </div>
  );
}
