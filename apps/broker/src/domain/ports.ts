import type {
  Assertion,
  Credential,
  EcPublicJwk,
  HashReader,
  PushOutcome,
  RequestState,
  Site,
  Tree,
} from "@countersign/shared";
import type { OutgoingPush } from "./push-message.js";

/** The end of this process: nobody is kept waiting then. */
export interface Ending {
  hasBegun(): boolean;
  /** @returns how to stop listening */
  whenItBegins(listener: () => void): () => void;
}

/** What a subscriber is told: which request or pairing has news. The truth is read from the database. */
export interface Hint {
  rid?: string;
  state?: RequestState;
  /** The number of the leaf that a change of a request was read from. */
  seq?: number;
  pairingId?: string;
  linkId?: string;
  /** Devices, passkeys, freezes or a recovery changed; sessions may have ended. */
  account?: true;
  /** The agent and the approvers whom it concerns. */
  clientId?: string;
  approvers: readonly string[];
}

/**
 * Wakes whoever waits. May drop and may repeat: a subscriber re-reads the database after subscribing, and
 * again from time to time, so a lost hint costs a moment and never a decision.
 */
export interface EventBus {
  publish(hint: Hint): void;
  /** Calls back synchronously; the callback must not throw. Returns how to stop. */
  subscribe(topic: string, listener: (hint: Hint) => void): () => void;
}

export const topics = {
  request: (rid: string) => `request:${rid}`,
  /** Every request's changes. */
  requests: "requests",
  pairing: (id: string) => `pairing:${id}`,
  link: (id: string) => `link:${id}`,
  client: (clientId: string) => `client:${clientId}`,
  approver: (approver: string) => `approver:${approver}`,
};

/** Verifies what authenticators answer. Pure: it stores nothing, and the caller consumes the ceremony. */
export interface WebAuthn {
  /** @throws ProtocolError `registration_invalid` */
  verifyRegistration(
    registration: unknown,
    expected: { challenge: string; site: Site },
  ): Promise<Credential & { counter: number }>;
  /** @throws ProtocolError `assertion_invalid`, with the reason that the shared verifier gives */
  verifyAssertion(
    assertion: Assertion,
    expected: { challenge: string; origin: string; rpId: string; credential: Credential },
  ): Promise<void>;
}

/** Base64url; RFC 8292. */
export interface VapidKeys {
  publicKey: string;
  privateKey: string;
}

export interface PushTarget {
  endpoint: string;
  p256dh: string;
  auth: string;
}

export interface PushResult {
  outcome: PushOutcome;
  /** What the push service asked for before the next try. */
  retryAfterSeconds?: number;
}

/** Hands pushes to push services. May be called twice for one message: the topic makes the second invisible. */
export interface WebPush {
  /** The VAPID public key, as `pushManager.subscribe` takes it. */
  applicationServerKey: string;
  /** The endpoint in its one spelling, if this server is willing to call it. */
  readEndpoint(text: string): string | undefined;
  /** Never throws, and takes 10 s at most. What the push service answers beyond its status is not read. */
  send(target: PushTarget, push: OutgoingPush, signal: AbortSignal): Promise<PushResult>;
}

export interface Logger {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

/** The broker's own word in tokens; no approval to the library. */
export interface SigningKey {
  kid: string;
  publicJwk: EcPublicJwk;
  /** ES256, as JWS has it (RFC 7518 3.4). */
  sign(octets: Uint8Array): Uint8Array<ArrayBuffer>;
}

/** The key that signs checkpoints. Only what the database holds as the head of the log is ever signed. */
export interface LogKey {
  /** The log's origin, and so the key's name. */
  name: string;
  publicKey: Uint8Array<ArrayBuffer>;
  privateKey: CryptoKey;
  /** What agents pin. */
  vkey: string;
}

/** Hashes of the tree that this process has read or made: a log only grows, so what stands in it stays. */
export interface TreeMemory {
  /**
   * Finds something out from hashes of the tree under this head, which are read from the database where they are not known.
   * @param find holds what it reads to the head's root, and resolves to undefined where that fails: all is read anew then
   * @throws Error when that fails as well
   */
  under<Found>(head: Tree, find: (read: HashReader) => Promise<Found | undefined>): Promise<Found>;
  /** Takes over entries that have just come into the tree, from place `start` on. */
  add(start: number, entries: readonly Uint8Array[]): void;
}

/** Puts leaves under a checkpoint. */
export interface Sequencer {
  /** Resolves when every leaf that was committed before the call is under the head that the log's key signs. */
  run(): Promise<void>;
}
