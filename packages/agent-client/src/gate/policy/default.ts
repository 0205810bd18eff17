import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { PolicyText } from "./load.js";

/** By the package's own name, so that source and published build find the same files. */
const pathOf = (name: string): string =>
  createRequire(import.meta.url).resolve(`@countersign/agent-client/policy/${name}`);

/** The texts that ship with the package; `table.json` holds the default policy's own cases. */
export const readShipped = (name: string): Promise<string> => readFile(pathOf(name), "utf8");

export async function defaultPolicy(): Promise<PolicyText> {
  const [policy, schema] = await Promise.all([
    readShipped("default.cedar"),
    readShipped("schema.cedarschema"),
  ]);
  return { policy, schema, names: { policy: "default.cedar", schema: "schema.cedarschema" } };
}
