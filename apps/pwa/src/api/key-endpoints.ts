import {
  freezeReceipt,
  type KeyAppend,
  keyAppended,
  keyChain,
  type LinkOffer,
  linkStatus,
  type SignedFreeze,
} from "@countersign/shared";
import { call } from "./call.js";

// Apart from the other endpoints, which every first load carries.

const part = encodeURIComponent;

export const getKeys = () => call(keyChain, "/app/keys");
export const appendKey = (body: KeyAppend) =>
  call(keyAppended, "/app/keys", { method: "POST", body });
export const offerLink = (body: LinkOffer) =>
  call(linkStatus, "/app/links", { method: "POST", body });
export const getLink = (linkId: string) => call(linkStatus, `/app/links/${part(linkId)}`);
/** Answers when the link was used, or unchanged after 25 s. */
export const awaitLink = (linkId: string, signal: AbortSignal) =>
  call(linkStatus, `/app/links/${part(linkId)}?after=offered`, { signal });
export const putFreeze = (clientId: string, body: SignedFreeze) =>
  call(freezeReceipt, `/app/agents/${part(clientId)}/freeze`, { method: "PUT", body });
