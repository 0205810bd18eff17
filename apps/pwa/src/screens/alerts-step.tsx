import { noteStep } from "../onboarding/steps.js";
import { Alerts } from "../push/alerts.js";
import type { SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { Screen } from "../ui/screen.js";

/** On the way of a new phone: allow alerts, and see a real one arrive. */
export default function AlertsStep({ own }: { own: SignedIn }) {
  const { start } = strings;
  return (
    <Screen
      title={start.alertsTitle}
      back={{ href: "/enrol", label: strings.practice.back }}
      class="onboarding"
    >
      <p class="lead">{start.alertsLead}</p>
      <Alerts own={own} />
      <a class="big quiet-button" href="/enrol" onClick={() => noteStep("alerts")}>
        {strings.practice.next}
      </a>
    </Screen>
  );
}
