export { EmbeddedPostgresError } from "./errors.js";
export { runningServerUrl } from "./orphan.js";
export {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from "./server.js";
