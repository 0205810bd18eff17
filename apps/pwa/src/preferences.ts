import { signal } from "@preact/signals";

const key = "countersign.pick_always";

/** Whether this person wants to pick the match code out of three every time. Kept on this device only. */
export const pickAlways = signal(localStorage.getItem(key) === "yes");

export function setPickAlways(wanted: boolean): void {
  if (wanted) localStorage.setItem(key, "yes");
  else localStorage.removeItem(key);
  pickAlways.value = wanted;
}
