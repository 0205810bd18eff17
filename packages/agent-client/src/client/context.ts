import type { Site } from "@countersign/shared";
import type { Clock } from "../clock.js";
import type { AgentKey } from "../home/agent-key.js";
import type { LogMemory } from "../home/log-memory.js";
import type { Pins } from "../home/pins.js";
import type { Broker } from "../http/broker.js";
import type { Journal } from "../journal/journal.js";
import type { Logger } from "../logger.js";
import type { Measures } from "../preconditions/registry.js";

/** What every step of a request works with. */
export interface ClientContext {
  site: Site;
  key: AgentKey;
  broker: Broker;
  journal: Journal;
  pins: Pins;
  log: LogMemory;
  measures: Measures;
  clock: Clock;
  logger: Logger;
  /** How long a request may look for its broker, in milliseconds; never past the request's own deadline. */
  retryForMs: number;
  /** Requests with outcomes that the broker could not be given yet. */
  owed: Set<string>;
}
