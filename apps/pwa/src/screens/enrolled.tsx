import { type Step, stepsDone } from "../onboarding/steps.js";
import { pushSupport } from "../push/subscription.js";
import type { SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { CheckIcon, ChevronIcon } from "../ui/icons.js";
import { Screen } from "../ui/screen.js";
import { usePairedAgents } from "./agent-names.js";

interface Task {
  href: string;
  done: boolean;
  label: string;
  text: string;
}

/** What is left to do on a new phone, in its order. Any of it may be passed over and done later. */
export default function EnrolledScreen({ own }: { own: SignedIn }) {
  const agents = usePairedAgents(own.approver);
  const { start } = strings;
  const isDone = (step: Step) => stepsDone.value.includes(step);
  const tasks: Task[] = [
    { href: "/enrol", done: true, ...start.passkey },
    // Where alerts cannot work at all there is no step: the settings say why.
    ...(pushSupport() === "possible"
      ? [{ href: "/alerts", done: isDone("alerts"), ...start.alerts }]
      : []),
    { href: "/practice", done: isDone("practice"), ...start.practice },
    { href: "/pair", done: (agents?.size ?? 0) > 0, ...start.pair },
    { href: "/recovery?start", done: isDone("codes"), ...start.codes },
  ];
  const next = tasks.find(({ done }) => !done);
  return (
    <Screen title={strings.welcome.doneTitle(own.name)} class="onboarding">
      <p class="lead">{next ? start.lead : start.ready}</p>
      <ol class="tasks">
        {tasks.map((task) => (
          <li key={task.label} class={task.done ? "task done" : "task"}>
            <span class="task-sign">{task.done && <CheckIcon />}</span>
            {task.done ? (
              <span class="task-text">
                <strong>{task.label}</strong>
                <span class="unseen">{start.done}</span>
              </span>
            ) : (
              <a class="task-text" href={task.href}>
                <strong>{task.label}</strong>
                <span class="quiet">{task.text}</span>
              </a>
            )}
            {!task.done && <ChevronIcon />}
          </li>
        ))}
      </ol>
      {next && (
        <a class="big primary" href={next.href}>
          {next.label}
        </a>
      )}
      <a class={next ? "big quiet-button" : "big primary"} href="/">
        {strings.welcome.doneInbox}
      </a>
    </Screen>
  );
}
