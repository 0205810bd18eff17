import { ClientError } from "../errors.js";
import type { ClientContext } from "./context.js";
import type { Client } from "./create-client.js";

/** What the gate needs of a client and nobody else may have. */
export interface ClientParts {
  home: string;
  measures: ClientContext["measures"];
  clock: ClientContext["clock"];
  logger: ClientContext["logger"];
  /** @throws ClientError `not_paired` */
  context: () => Promise<ClientContext>;
}

const parts = new WeakMap<Client, ClientParts>();

export function keepParts(client: Client, given: ClientParts): Client {
  parts.set(client, given);
  return client;
}

/**
 * Only a client that `createClient` made has parts: an object that merely looks like one could say yes to anything.
 * @throws ClientError `invalid_options`
 */
export function partsOf(client: Client): ClientParts {
  const found = parts.get(client);
  if (!found) throw new ClientError("invalid_options", { detail: "client" });
  return found;
}
