export type EmbeddedPostgresErrorCode =
  | "data_directory_in_use"
  | "data_directory_unreachable"
  | "data_directory_foreign"
  | "socket_directory_unsafe"
  | "unsupported_platform"
  | "server_failed";

/** The message is one sentence, or a few, that the operator can act on. */
export class EmbeddedPostgresError extends Error {
  override readonly name = "EmbeddedPostgresError";
  readonly code: EmbeddedPostgresErrorCode;

  constructor(code: EmbeddedPostgresErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
