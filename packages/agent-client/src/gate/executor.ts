import type { Action, Json } from "@countersign/shared";
import type { ActionProposal } from "../client/request.js";

/** What a model asks for. Nothing in it is believed: an executor reads it by a schema, or it is refused. */
export interface ToolCall {
  tool: string;
  args: Json;
}

/**
 * What an effect falls on, as the policy's resource: a Cedar entity of this type with these attributes. Those that the
 * default policy knows are declared in `policy/schema.cedarschema`; what the schema does not declare, no policy sees.
 * A `Command` is judged by its attribute `command`, what a shell is given, or by `argv`, the JSON array of what is run
 * without one; a `File` by its `path`, an `Element` by `role`, `name` and `field`, a `Url` by its parts.
 */
export interface Resource {
  type: "File" | "Url" | "Application" | "Window" | "Element" | "Account" | "Command" | "Tool";
  id: string;
  attributes: Readonly<Record<string, string | number | boolean>>;
}

/** How much an effect touches, for budgets and policies. What is not known is absent, never zero. */
export interface Extent {
  files?: number;
  bytes?: number;
  /** Whole minor units of `currency` (ISO 4217). */
  amountMinor?: number;
  currency?: string;
}

/** A call as its executor understood it: measured by the library, never told by the model. */
export interface Described {
  /** Tool and arguments as they will be executed, with target, preconditions, undo plan and reversibility. */
  proposal: ActionProposal;
  /** The Cedar action: what kind of thing this is, whatever the tool is called. */
  family:
    | "read"
    | "list"
    | "write"
    | "move"
    | "delete"
    | "execute"
    | "request"
    | "navigate"
    | "click"
    | "type"
    | "send"
    | "pay"
    | "call";
  resource: Resource;
  extent: Extent;
  /** Further facts for the policy's context: the active window, whether a field hides what is typed, the host. */
  context: Readonly<Record<string, string | number | boolean>>;
  /** The screen as it is now, where there is one: taken again when a person is asked. */
  screenshot?: () => Promise<Uint8Array>;
}

/** What an execution left behind. */
export interface Executed {
  /** For the model. */
  value: Json;
  /** What `undo` needs to take it back; absent where it cannot be taken back. */
  undo?: Json;
}

export interface ExecuteOptions {
  signal: AbortSignal;
  /** What this execution is known by, after a crash too: the request's id, where a person was asked. */
  id?: string;
}

/**
 * The only hands there are: whatever has an effect is an executor, and only the gate calls one.
 * An executor executes from the action it is given, never from the call it described.
 */
export interface Executor {
  /** Names of the tools it serves, each served by one executor. */
  readonly tools: readonly string[];
  /**
   * Reads and measures a call without any effect.
   * @throws InvalidCall for arguments that are not this tool's, or that reach outside what it was given
   */
  describe(call: ToolCall, options: { signal: AbortSignal }): Promise<Described>;
  /** Has the effect, at most once a call. May throw when it did part of it; then the gate rolls back or says `failed`. */
  execute(action: Action, options: ExecuteOptions): Promise<Executed>;
  /** Takes back what `execute` did, by what it returned. Doing it twice does no more than doing it once. */
  undo?(action: Action, undo: Json, options: { signal: AbortSignal }): Promise<void>;
}

/** A call that no executor will take. The code goes to the model and into the journal, the arguments do not. */
export class InvalidCall extends Error {
  override readonly name = "InvalidCall";
  readonly code: string;

  constructor(code: string, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
  }
}
