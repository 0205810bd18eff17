import { InvalidCall } from "../gate/executor.js";

/** An effect that was not had, or not wholly. The code goes to the model and into the journal, nothing else does. */
export class ExecutionError extends Error {
  override readonly name = "ExecutionError";
  readonly code: string;

  constructor(code: string, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
  }
}

/** One word for whatever was thrown. */
export function codeOf(error: unknown): string {
  if (error instanceof ExecutionError || error instanceof InvalidCall) return error.code;
  return "threw";
}
