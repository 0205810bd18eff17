import type { PushOutcome } from "@countersign/shared";
import { useEffect, useRef, useState } from "preact/hooks";
import { sentenceFor } from "../failure.js";
import { alertsStrings } from "../strings/alerts.js";
import { Problem } from "../ui/screen.js";
import { wait } from "../wait.js";
import { getPush, sendTestPush } from "./endpoints.js";

/** Longer than a push takes where it works. */
const patienceMs = 30_000;
const lookEveryMs = 1_000;

type TestView =
  | { kind: "idle" }
  | { kind: "waiting" }
  | { kind: "arrived"; seconds: number }
  | { kind: "lost" }
  | { kind: "refused"; outcome: Exclude<PushOutcome, "accepted"> }
  | { kind: "failed"; problem: string };

/** A real push to this device, whose arrival its service worker confirms to the server. */
export function TestAlert({ onDone }: { onDone: () => void }) {
  const { alerts } = alertsStrings;
  const [view, setView] = useState<TestView>({ kind: "idle" });
  const stop = useRef<AbortController>(null);
  useEffect(() => () => stop.current?.abort(), []);

  const run = async () => {
    stop.current?.abort();
    const started = new AbortController();
    const { signal } = started;
    stop.current = started;
    setView({ kind: "waiting" });
    const result = await test(signal).catch(
      (error): TestView => ({ kind: "failed", problem: sentenceFor(error) }),
    );
    if (signal.aborted) return;
    setView(result);
    // What the server knows of the subscription has changed; it may even have ended.
    onDone();
  };

  return (
    <>
      <button
        type="button"
        class="big"
        disabled={view.kind === "waiting"}
        onClick={() => void run()}
      >
        {view.kind === "waiting" ? alerts.testing : alerts.test}
      </button>
      <p class="quiet" role="status" data-testid="test-alert" hidden={view.kind !== "arrived"}>
        {view.kind === "arrived" && alerts.arrived(view.seconds)}
      </p>
      {view.kind === "refused" && <Problem sentence={alerts.refused[view.outcome]} />}
      {view.kind === "failed" && <Problem sentence={view.problem} />}
      {view.kind === "lost" && (
        <div class="problem" role="alert">
          <p>{alerts.lost}</p>
          <ul>
            {alerts.checks.map((check) => (
              <li key={check}>{check}</li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

async function test(signal: AbortSignal): Promise<TestView> {
  const { outcome } = await sendTestPush();
  if (outcome !== "accepted") return { kind: "refused", outcome };
  const deadline = performance.now() + patienceMs;
  while (!signal.aborted && performance.now() < deadline) {
    const { subscription } = await getPush();
    const seconds = subscription?.test?.arrived_after_seconds;
    if (seconds !== undefined) return { kind: "arrived", seconds };
    await wait(lookEveryMs, signal);
  }
  return { kind: "lost" };
}
