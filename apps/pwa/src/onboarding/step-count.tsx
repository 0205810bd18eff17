import { strings } from "../strings.js";

const steps = 6;

/** Where somebody is on the way: install, passkey, alerts, practice, agent, codes. */
export const StepCount = ({ step }: { step: number }) => (
  <p class="step-count">
    <span class="unseen">{strings.welcome.step(step, steps)}</span>
    {Array.from({ length: steps }, (_, index) => (
      <span key={index} class={index < step ? "dot done" : "dot"} aria-hidden="true" />
    ))}
  </p>
);
