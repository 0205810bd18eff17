import {
  agentList,
  appPairing,
  ceremony,
  type Decision,
  decisionReceipt,
  type Enrolment,
  invitationIssued,
  me,
  nonceResponse,
  type PairingAcceptance,
  type PairingState,
  requestDetail,
  requestList,
  type SignIn,
  siteInfo,
} from "@countersign/shared";
import { call, callForBytes, callForEffect } from "./call.js";

const part = encodeURIComponent;

export const getSite = () => call(siteInfo, "/app/site");
export const getMe = () => call(me, "/app/me");

export type NoncePurpose =
  | "register"
  | "credential"
  | "device"
  | "login"
  | "pair"
  | "freeze"
  | "recovery";
export const createNonce = (purpose: NoncePurpose, signal: AbortSignal) =>
  call(nonceResponse, "/app/nonces", { method: "POST", body: { purpose }, signal });

export const checkInvitation = (invitation?: string) =>
  callForEffect("/app/invitations/check", { method: "POST", body: { invitation } });
export const createInvitation = () =>
  call(invitationIssued, "/app/invitations", { method: "POST", body: {} });
export const enrol = (body: Enrolment) => callForEffect("/app/approvers", { method: "POST", body });

export const signIn = (body: SignIn) => callForEffect("/app/session", { method: "POST", body });
export const signOut = () => callForEffect("/app/session", { method: "DELETE" });

export const listRequests = (view: "inbox" | "history", before?: string) =>
  call(requestList, `/app/requests?view=${view}${before ? `&before=${part(before)}` : ""}`);
export const getRequest = (rid: string) => call(requestDetail, `/app/requests/${part(rid)}`);
export const getContext = (rid: string) => callForBytes(`/app/requests/${part(rid)}/context`);
/** What else is sealed for a request: its picture, or one of what came of it. */
export const getPiece = (rid: string, sealedSha256: string) =>
  callForBytes(`/app/requests/${part(rid)}/contexts/${sealedSha256}`);
export const openCeremony = (rid: string, device_kid: string, signal: AbortSignal) =>
  call(ceremony, `/app/requests/${part(rid)}/ceremony`, {
    method: "POST",
    body: { device_kid },
    signal,
  });
export const postDecision = (rid: string, body: Decision) =>
  call(decisionReceipt, `/app/requests/${part(rid)}/decisions`, { method: "POST", body });

export const listAgents = () => call(agentList, "/app/agents");
export const endPairing = (clientId: string) =>
  callForEffect(`/app/agents/${part(clientId)}`, { method: "DELETE" });

export const getPairing = (pairingId: string) =>
  call(appPairing, `/app/pairings/${part(pairingId)}`);
/** Answers when the pairing's state is another one than `after`, or unchanged after 25 s. */
export const awaitPairing = (pairingId: string, after: PairingState, signal: AbortSignal) =>
  call(appPairing, `/app/pairings/${part(pairingId)}?after=${after}`, { signal });
export const acceptPairing = (pairingId: string, body: PairingAcceptance) =>
  callForEffect(`/app/pairings/${part(pairingId)}/acceptance`, { method: "POST", body });
