import * as z from "zod/mini";
import { assertion, credential } from "../assertion.js";
import { chainLink, deviceKeys } from "../chain.js";
import { decision } from "../decision.js";
import { signedFreeze } from "../freeze.js";
import { leafKind } from "../leaf.js";
import { pairingAcceptance } from "../pairing.js";
import {
  base64url,
  bytes32,
  credentialId,
  ecPublicJwk,
  id,
  logKey,
  numericDate,
  signature,
  storableLabel,
} from "../schema.js";
import { pairingState, requestState } from "./agent.js";

/** `GET /app/site`: who this server is, and whether this browser is signed in. */
export const siteInfo = z.object({
  issuer: z.string(),
  rp_id: z.string(),
  origin: z.string(),
  /** The key of its log, as C2SP's vkey text. */
  log_key: logKey,
  approver: z.optional(z.object({ approver: id, name: z.string() })),
  /** This browser keeps an invitation that is still good. */
  invited: z.optional(z.literal(true)),
});
export type SiteInfo = z.infer<typeof siteInfo>;

/** `POST /app/nonces` takes a purpose and answers with a nonce for one ceremony of it. */
export const nonceRequest = z.strictObject({
  purpose: z.enum(["register", "credential", "device", "login", "pair", "freeze", "recovery"]),
});
export const nonceResponse = z.object({ broker_nonce: bytes32, expires_at: numericDate });

/** What `navigator.credentials.create` gave, as RegistrationResponseJSON (WebAuthn L3, 5.1). */
export const registration = z.object({
  id: credentialId,
  response: z.object({ clientDataJSON: base64url, attestationObject: base64url }),
});

/** As typed or as in the link: the server evens it out. */
const invitation = z.optional(z.string().check(z.maxLength(200)));

/**
 * `POST /app/approvers`: enrolment in one call. `root` is K0 over the new credential and this device,
 * signed by both; `register_nonce` is the nonce inside the registration's challenge. Without an
 * `invitation` it is the one that this browser keeps.
 */
export const enrolment = z.strictObject({
  invitation,
  name: storableLabel(80),
  register_nonce: bytes32,
  registration,
  root: chainLink,
});
export type Enrolment = z.infer<typeof enrolment>;

/**
 * `POST /app/invitations/check`: is this invitation good, before a passkey is made for nothing? A good one is
 * kept in a cookie, and so survives the way into the installed app. Without one: is the kept one good?
 */
export const invitationCheck = z.strictObject({ invitation });

/** `POST /app/invitations` answers with a link for a new approver. */
export const invitationIssued = z.object({ invitation_link: z.string(), expires_at: numericDate });

/**
 * `POST /app/session`: signing in; the challenge is `H("login", ...)` with this nonce. An enrolled device signs the
 * same bytes, so that the session ends with the device.
 */
export const signIn = z.strictObject({
  broker_nonce: bytes32,
  assertion,
  device: z.optional(z.strictObject({ device_kid: bytes32, device_signature: signature })),
});
export type SignIn = z.infer<typeof signIn>;

/** `GET /app/me`. */
export const me = z.object({
  approver: id,
  name: z.string(),
  credentials: z.array(
    z.object({ ...credential.shape, created_at: numericDate, revoked_at: z.optional(numericDate) }),
  ),
  devices: z.array(
    z.object({
      device_kid: bytes32,
      ...deviceKeys.shape,
      created_at: numericDate,
      revoked_at: z.optional(numericDate),
    }),
  ),
  chain: z.object({ seq: z.int(), head: bytes32 }),
});
export type Me = z.infer<typeof me>;

/** One request as lists show it. Nothing here was verified by the phone yet. */
export const requestSummary = z.object({
  rid: id,
  state: requestState,
  client_id: bytes32,
  agent_name: z.string(),
  agent_host: z.string(),
  tier: z.string(),
  created_at: numericDate,
  expires_at: numericDate,
  settled_at: z.optional(numericDate),
  approvals: z.int(),
  quorum: z.int(),
  /** This approver's own decision, if there is one. */
  decided: z.optional(z.enum(["approve", "deny"])),
  /** A freeze of its agent denied it. */
  frozen: z.optional(z.literal(true)),
});
export type RequestSummary = z.infer<typeof requestSummary>;

/** `GET /app/requests?view=inbox|history&before=<cursor>`: at most 50, newest first in history. */
export const requestList = z.object({
  requests: z.array(requestSummary),
  next: z.optional(z.string()),
});

/** `GET /app/requests/{rid}`: all that the phone verifies for itself, and what became of it. */
export const requestDetail = z.object({
  ...requestSummary.shape,
  /** AR, the compact JWS. */
  request: z.string(),
  req_nonce: bytes32,
  decisions: z.array(decision),
  /** Outcome JWS by the agent, in order of `n`. */
  outcomes: z.array(z.string()),
  /** The F that denied it, where no single decision did. */
  freeze: z.optional(signedFreeze),
});
export type RequestDetail = z.infer<typeof requestDetail>;

/** `GET /app/requests/{rid}/times`: its leaves in order of time, by the server's clock; of openings and reports the first. */
export const requestTimes = z.object({
  times: z.array(z.object({ kind: leafKind, at: numericDate })),
});
export type RequestTimes = z.infer<typeof requestTimes>;

/** Seconds; no median of nothing. */
const spread = z.object({
  count: z.int(),
  median: z.nullable(z.number()),
  p90: z.nullable(z.number()),
});

/** `GET /app/oversight`: how this approver decided, as the log's records of the last days have it. */
export const oversight = z.object({
  days: z.int(),
  /** Requests that named this approver. */
  requests: z.int(),
  /** From the request to this approver's first answer. */
  to_decision: spread,
  /** From the first opening to the answer, of requests that only this approver could open. */
  on_screen: spread,
  /** At most 50, those that asked most often first. */
  agents: z.array(
    z.object({
      client_id: bytes32,
      requests: z.int(),
      /** What this approver said of them last. Of the others nothing: denied by a freeze or another, expired, withdrawn. */
      approved: z.int(),
      denied: z.int(),
      /** Most requests within a minute. */
      busiest_minute: z.int(),
    }),
  ),
});
export type Oversight = z.infer<typeof oversight>;

/** `POST /app/requests/{rid}/ceremony` takes the device in hand and answers with a ceremony. */
export const ceremonyRequest = z.strictObject({ device_kid: bytes32 });
export const ceremony = z.object({
  cid: id,
  broker_nonce: bytes32,
  expires_at: numericDate,
  credential_ids: z.array(credentialId).check(z.minLength(1)),
});
export type Ceremony = z.infer<typeof ceremony>;

/** `POST /app/requests/{rid}/decisions` takes a decision and answers with the state after it. */
export const decisionReceipt = z.object({ rid: id, state: requestState });

/** `data:` of an event on `GET /app/events`: something about this request, pairing or the account changed. */
export const appHint = z.object({
  rid: z.optional(id),
  pairing_id: z.optional(bytes32),
  /** Devices, passkeys, freezes or a recovery. */
  account: z.optional(z.literal(true)),
});

/** `GET /app/pairings/{id}`: the agent's offer, and its nonce once revealed. */
export const appPairing = z.object({
  pairing_id: bytes32,
  state: pairingState,
  expires_at: numericDate,
  offer: z.string(),
  nonce: z.optional(base64url),
});
export type AppPairing = z.infer<typeof appPairing>;

/** `POST /app/pairings/{id}/acceptance`. */
export const acceptPairing = pairingAcceptance;

/** `GET /app/agents`: agents with a live pairing with this approver. */
export const agentList = z.object({
  agents: z.array(
    z.object({
      client_id: bytes32,
      pairing_id: bytes32,
      name: z.string(),
      host: z.string(),
      paired_at: numericDate,
      last_seen_at: z.optional(numericDate),
      /** For another device of this approver: it accepts an agent by a P that verifies under keys it can prove. */
      agent_jwk: ecPublicJwk,
      acceptance: z.omit(pairingAcceptance, { mac: true }),
      /** This approver's latest F for the agent. */
      freeze: z.optional(signedFreeze),
    }),
  ),
});
export type AgentList = z.infer<typeof agentList>;
