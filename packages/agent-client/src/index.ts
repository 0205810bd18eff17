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
export { commandExecutor } from "./executors/command-executor.js";
export { type DesktopOptions, desktopExecutor } from "./executors/desktop/desktop-executor.js";
export { ExecutionError } from "./executors/execution-error.js";
export { fileExecutor } from "./executors/file-executor.js";
export { type HttpExecutorOptions, httpExecutor } from "./executors/http-executor.js";
export { openRoots, type Roots } from "./executors/roots.js";
export type { RunCommand } from "./executors/run-command.js";
export type { SandboxOptions } from "./executors/sandbox.js";
export { type AiSdkModel, aiSdkClassifier } from "./gate/ai-sdk-classifier.js";
export type { Classification, Classifier, ClassifierInput } from "./gate/classifier.js";
export type { Confirm, Question, Reply } from "./gate/confirm.js";
export { type Conversation, spokenConfirm, type Utterance } from "./gate/confirm-spoken.js";
export { type Terminal, terminalConfirm } from "./gate/confirm-terminal.js";
export { createGate, type Gate, type GateOptions } from "./gate/create-gate.js";
export {
  type Described,
  type Executed,
  type Executor,
  type Extent,
  InvalidCall,
  type Resource,
  type ToolCall,
} from "./gate/executor.js";
export type {
  Execute,
  Guarded,
  GuardOptions,
} from "./gate/guard.js";
export type { Budget, Limits } from "./gate/limits.js";
export type { Decision, GateOutcome } from "./gate/outcome.js";
export type { PolicyFiles } from "./gate/policy/files.js";
export type { RunOptions } from "./gate/run.js";
export type { UndoOutcome } from "./gate/undo.js";
export { createGateway, type Gateway, type GatewayOptions } from "./gateway/gateway.js";
export type { Grant } from "./gateway/grants.js";
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
export {
  createTransactions,
  type Transactions,
  type TransactionsOptions,
} from "./transactions/create-transactions.js";
export { OutcomeUnknown, RolledBack } from "./transactions/ending.js";
export type { Invariant } from "./transactions/plan.js";
