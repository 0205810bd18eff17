import type { Assertion, Credential, EcPublicJwk, RequestState, Site } from "@countersign/shared";

/** What a subscriber is told: which request or pairing has news. The truth is read from the database. */
export interface Hint {
  rid?: string;
  state?: RequestState;
  pairingId?: string;
  /** The agent and the approvers whom it concerns. */
  clientId: string;
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
  pairing: (id: string) => `pairing:${id}`,
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
  verifyKey: CryptoKey;
  privateKey: CryptoKey;
}
