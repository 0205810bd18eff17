import type { Pending } from "../client/answer.js";
import type { Client } from "../client/create-client.js";
import type { ClientParts } from "../client/parts.js";
import type { RequestOptions } from "../client/request.js";
import type { Classifier } from "./classifier.js";
import type { Confirm } from "./confirm.js";
import type { DecisionJournal } from "./decision-journal.js";
import type { Denials } from "./denials.js";
import type { Executor } from "./executor.js";
import type { Keys } from "./keys.js";
import type { KillSwitch } from "./kill-switch.js";
import type { LimitKeeper } from "./limits.js";
import type { LoadedPolicy } from "./policy/load.js";
import type { Undos } from "./undos.js";

/** What every step of a call works with. Nobody outside the gate holds it, and so nobody holds an executor. */
export interface GateContext {
  client: Client;
  parts: ClientParts;
  executors: ReadonlyMap<string, Executor>;
  /** As it is now: a reload puts another in its place, whole. */
  policy: () => LoadedPolicy;
  noRule: "red" | "refuse";
  classifier: Classifier | undefined;
  confirm: Confirm | undefined;
  confirmForMs: number;
  limits: LimitKeeper;
  denials: Denials;
  journal: DecisionJournal;
  keys: Keys;
  undos: Undos;
  kill: KillSwitch;
  agent: string;
  session: string;
  asking: Pick<RequestOptions, "approvers" | "quorum" | "expiresInSeconds">;
  onPending: ((pending: Pending) => void) | undefined;
}
