import type { Site } from "@countersign/shared";
import type { Database } from "./db/client.js";
import type { AgentLimits } from "./domain/limits.js";
import type {
  Ending,
  EventBus,
  Logger,
  LogKey,
  Sequencer,
  SigningKey,
  TreeMemory,
  WebAuthn,
  WebPush,
} from "./domain/ports.js";

/** All that a step on the path needs. */
export interface Broker {
  db: Database;
  /** A few connections that nothing but decisions uses: no crowd of other calls is ever before them. */
  reserved: Database;
  site: Site;
  bus: EventBus;
  webauthn: WebAuthn;
  push: WebPush;
  log: Logger;
  signingKey: SigningKey;
  logKey: LogKey;
  sequencer: Sequencer;
  tree: TreeMemory;
  /** The same tree over the reserved connections: no decision waits for what others read of it. */
  reservedTree: TreeMemory;
  allowed: AgentLimits;
  ending: Ending;
  /** The process's clock, in milliseconds. Deadlines are the database's; this one only bounds proofs and skew. */
  now: () => number;
}
