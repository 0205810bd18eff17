import type { AttributesOrContext } from "@cedar-policy/cedar-wasm/nodejs";
import { ClientError } from "../../errors.js";
import type { Cedar } from "./cedar.js";

/** The names that a schema declares: what it does not, no policy can refer to. */
export interface SchemaNames {
  /** Attributes of each entity type. */
  attributes: ReadonlyMap<string, ReadonlySet<string>>;
  /** Members of each action's context. */
  context: ReadonlyMap<string, ReadonlySet<string>>;
}

/** @throws ClientError `policy_invalid` */
export function readSchema(cedar: Cedar, text: string): SchemaNames {
  const read = cedar.schemaToJsonWithResolvedTypes(text);
  const schema = read.type === "success" ? read.json[""] : undefined;
  if (!schema) throw new ClientError("policy_invalid", { detail: "the schema has a namespace" });
  const named = (given: AttributesOrContext<string> | undefined): Set<string> => {
    if (!given) return new Set();
    if (given.type === "Record" && "attributes" in given) {
      return new Set(Object.keys(given.attributes as object));
    }
    const name = "name" in given && typeof given.name === "string" ? given.name : given.type;
    return named(schema.commonTypes?.[name]);
  };
  return {
    attributes: new Map(
      Object.entries(schema.entityTypes).map(([name, entity]) => [
        name,
        named("shape" in entity ? entity.shape : undefined),
      ]),
    ),
    context: new Map(
      Object.entries(schema.actions).map(([name, { appliesTo }]) => [
        name,
        named(appliesTo?.context),
      ]),
    ),
  };
}
