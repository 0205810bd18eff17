import type { RequestState } from "@countersign/shared";

interface Transition {
  from: readonly RequestState[];
  to: RequestState;
}

/**
 * The life of a request (protocol section 4). Whatever changes a state takes `from` and `to` from here.
 * An approval that does not yet reach the quorum leaves the request pending.
 */
export const lifecycle = {
  approve: { from: ["pending"], to: "approved" },
  deny: { from: ["pending", "approved"], to: "denied" },
  cancel: { from: ["pending", "approved"], to: "canceled" },
  expire: { from: ["pending", "approved"], to: "expired" },
  redeem: { from: ["approved"], to: "redeemed" },
  report: { from: ["redeemed", "reported"], to: "reported" },
} as const satisfies Record<string, Transition>;

export type LifecycleEvent = keyof typeof lifecycle;

/** States that nothing leaves. */
export const terminalStates: readonly RequestState[] = [
  "denied",
  "canceled",
  "expired",
  "reported",
];
