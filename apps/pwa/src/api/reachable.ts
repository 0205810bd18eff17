import { signal } from "@preact/signals";

/** Whether the last call reached the server: what the notice about stale contents goes by. */
export const reachable = signal(true);
