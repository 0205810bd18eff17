export type { Action } from "@countersign/shared";
export type {
  Approved,
  Canceled,
  Claimed,
  Denied,
  Expired,
  Frozen,
  IntegrityMismatch,
  NotApproved,
  Pending,
  RefusedByPolicy,
  Reported,
  Unknown,
  Unreachable,
} from "./client/answer.js";
export { type Client, type ClientOptions, createClient } from "./client/create-client.js";
export type { Resolution } from "./client/recover.js";
export type { OutcomeReport } from "./client/report.js";
export type { ActionProposal, RequestOptions } from "./client/request.js";
export type { Clock } from "./clock.js";
export { ClientError, type ClientErrorCode } from "./errors.js";
export { type BrowserOptions, browserExecutor } from "./executors/browser/browser-executor.js";
export type { BrowserPage } from "./executors/browser/page.js";
export { type DesktopOptions, desktopExecutor } from "./executors/desktop/desktop-executor.js";
export type { Execute, Guarded, GuardOptions } from "./gate/guard.js";
export type { Logger } from "./logger.js";
export type { PairedApprover, PairOptions } from "./pairing/pair.js";
export { redactPicture } from "./pictures/redact.js";
export {
  type ChangedPrecondition,
  type Measure,
  type Measures,
  pageRegion,
} from "./preconditions/registry.js";
export { type ToolDefinition, toolSchema } from "./preconditions/tool-schema.js";
