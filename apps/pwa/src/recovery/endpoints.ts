import {
  type RecoveryCompletion,
  recoveryStarted,
  recoveryStatus,
  type SignedRecovery,
} from "@countersign/shared";
import { call, callForEffect } from "../api/call.js";

export const getRecovery = () => call(recoveryStatus, "/app/recovery");
export const postRecovery = (body: SignedRecovery) =>
  call(recoveryStatus, "/app/recovery", { method: "POST", body });
/** Begins, or asks again how it stands. */
export const beginRecovery = (code: string) =>
  call(recoveryStarted, "/app/recoveries", { method: "POST", body: { code } });
export const finishRecovery = (body: RecoveryCompletion) =>
  callForEffect("/app/recoveries/completion", { method: "POST", body });
