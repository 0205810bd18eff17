/** The effect was had or begun, and everything is again as it was. */
export class RolledBack extends Error {
  override readonly name = "RolledBack";
  readonly code: string;

  constructor(code: string, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
  }
}

/** Nobody knows what is left of the effect: it waits for a person. */
export class OutcomeUnknown extends Error {
  override readonly name = "OutcomeUnknown";
  readonly code: string;

  constructor(code: string, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
  }
}

/** How an execution that threw is reported. */
export function endingOf(error: unknown): {
  status: "failed" | "rolled_back" | "unknown";
  code: string;
} {
  if (error instanceof RolledBack) return { status: "rolled_back", code: error.code };
  if (error instanceof OutcomeUnknown) return { status: "unknown", code: error.code };
  return { status: "failed", code: "threw" };
}
