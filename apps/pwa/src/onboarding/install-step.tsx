import { strings } from "../strings.js";
import { AddIcon, MenuIcon, ShareIcon } from "../ui/icons.js";
import { Screen } from "../ui/screen.js";
import { promptInstall } from "./install.js";
import { StepCount } from "./step-count.js";

interface InstallStepProps {
  way: "ios" | "android";
  invitation: string;
  onSkip: () => void;
}

/** The way to the home screen, in the words and signs that the system itself uses. */
export function InstallStep({ way, invitation, onSkip }: InstallStepProps) {
  const { install } = strings;
  const prompt = promptInstall.value;
  return (
    <Screen title={install.title} class="onboarding">
      <StepCount step={1} />
      <p class="lead">{install.lead(location.host)}</p>
      {way === "android" && prompt ? (
        <button type="button" class="big primary" onClick={prompt}>
          {install.button}
        </button>
      ) : (
        <ol class="steps">
          <li>
            <span class="step-sign">{way === "ios" ? <ShareIcon /> : <MenuIcon />}</span>
            <span>{install[way].open}</span>
          </li>
          <li>
            <span class="step-sign">
              <AddIcon />
            </span>
            <span>{install[way].add}</span>
          </li>
          <li>
            <span class="step-sign">
              <span class="app-sign" aria-hidden="true" />
            </span>
            <span>{install[way].launch}</span>
          </li>
        </ol>
      )}
      <p class="quiet">{install.survives}</p>
      {invitation !== "" && (
        <p class="code-note">
          <span class="quiet">{install.code}</span>
          <code>{invitation}</code>
        </p>
      )}
      <button type="button" class="big quiet-button" onClick={onSkip}>
        {install.skip}
      </button>
      <p class="quiet">{install[way].without}</p>
    </Screen>
  );
}
