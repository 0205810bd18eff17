import type { Site } from "@countersign/shared";
import type { Database } from "./db/client.js";
import type {
  EventBus,
  Logger,
  LogKey,
  Sequencer,
  SigningKey,
  WebAuthn,
  WebPush,
} from "./domain/ports.js";

/** All that a step on the path needs. */
export interface Broker {
  db: Database;
  site: Site;
  bus: EventBus;
  webauthn: WebAuthn;
  push: WebPush;
  log: Logger;
  signingKey: SigningKey;
  logKey: LogKey;
  sequencer: Sequencer;
  /** The process's clock, in milliseconds. Deadlines are the database's; this one only bounds proofs and skew. */
  now: () => number;
}
