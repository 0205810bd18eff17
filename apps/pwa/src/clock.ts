import { signal } from "@preact/signals";

let offsetMs = 0;
/** The header is cut to the second: this is what it lacks on average. */
const halfSecondMs = 500;

/** Deadlines are the server's: a phone's clock may be minutes off. Its Date header corrects ours. */
export function noteServerDate(header: string | null): void {
  const serverMs = header === null ? Number.NaN : Date.parse(header);
  if (Number.isFinite(serverMs)) offsetMs = serverMs + halfSecondMs - Date.now();
}

/** How far this device's clock is behind the server's, in seconds; negative where it is ahead. */
export const clockOffsetSeconds = (): number => Math.round(offsetMs / 1000);

/** NumericDate by the server's clock, as far as this device knows it. */
export const nowSeconds = (): number => Math.floor((Date.now() + offsetMs) / 1000);

/** {@link nowSeconds} as a signal that moves once a second. */
export const now = signal(nowSeconds());

setInterval(() => {
  now.value = nowSeconds();
}, 1000);
