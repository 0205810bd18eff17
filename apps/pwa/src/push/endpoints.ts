import { type PushSubscriptionBody, pushState, pushTest } from "@countersign/shared";
import { call, callForEffect } from "../api/call.js";

export const getPush = () => call(pushState, "/app/push");
export const postSubscription = (body: PushSubscriptionBody) =>
  callForEffect("/app/push/subscription", { method: "POST", body });
export const deleteSubscription = () =>
  callForEffect("/app/push/subscription", { method: "DELETE" });
export const sendTestPush = () => call(pushTest, "/app/push/test", { method: "POST", body: {} });
/** This device shows nothing about the request any more: its end need not be pushed here. */
export const settleAlert = (rid: string) =>
  callForEffect(`/app/push/alerts/${encodeURIComponent(rid)}`, { method: "DELETE" });
