import { assertJson, canonicalBytes, type Json, sha256Text } from "@countersign/shared";
import type { Measure } from "./registry.js";

/** A tool as its server lists it: an MCP `Tool`, whole. */
export interface ToolDefinition {
  name: string;
}

/**
 * Kind `tool_schema`: what a server says a tool is. The subject is the tool's name; the hash is over all that is listed
 * for it, description and annotations included, since those are what the model and the person went by.
 * @param list the tools as they are listed now, asked of the server and not of a cache
 */
export function toolSchema(list: () => Promise<readonly ToolDefinition[]>): Measure {
  return async (subject) => {
    const [tool, ...others] = (await list()).filter(({ name }) => name === subject);
    if (!tool || others.length > 0) throw new Error("the tool is not listed once");
    // As it travelled: a client's object may hold members that are undefined.
    const definition: unknown = JSON.parse(JSON.stringify(tool));
    assertJson(definition);
    return sha256Text(canonicalBytes(definition satisfies Json));
  };
}
