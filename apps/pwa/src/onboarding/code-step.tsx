import { strings } from "../strings.js";
import { CodeForm } from "../ui/code-form.js";
import { Mark } from "../ui/icons.js";
import { Screen } from "../ui/screen.js";

interface CodeStepProps {
  problem: string | undefined;
  onCode: (invitation: string) => void;
}

/** Where no link leads into the installed app, the invitation is typed. */
export function CodeStep({ problem, onCode }: CodeStepProps) {
  const { code } = strings.welcome;
  return (
    <Screen title={code.title} class="onboarding">
      <Mark />
      <p class="lead">{code.lead(location.host)}</p>
      <CodeForm
        label={code.label}
        example="XXXX-XXXX-XXXX-XXXX"
        button={code.button}
        problem={problem}
        onCode={onCode}
      />
      <a class="big quiet-button" href="/">
        {code.signIn}
      </a>
    </Screen>
  );
}
