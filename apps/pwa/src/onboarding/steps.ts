import { signal } from "@preact/signals";

/** What is done once on a phone, after its passkey was made. Pairing is known by the agents that there are. */
export type Step = "alerts" | "practice" | "codes";

const key = "countersign.steps";

/** The steps that were done on this device, or passed over. */
export const stepsDone = signal<readonly string[]>(
  (localStorage.getItem(key) ?? "").split(" ").filter((step) => step !== ""),
);

export function noteStep(step: Step): void {
  if (stepsDone.value.includes(step)) return;
  stepsDone.value = [...stepsDone.value, step];
  localStorage.setItem(key, stepsDone.value.join(" "));
}
