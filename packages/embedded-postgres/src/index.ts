export { EmbeddedPostgresError } from "./errors.js";
export {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from "./server.js";
export { socketHost } from "./url.js";
