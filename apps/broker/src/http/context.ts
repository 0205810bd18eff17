import { type Json, ProtocolError, parse, parseStrict } from "@countersign/shared";
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type * as z from "zod/mini";
import type { AuthenticatedAgent } from "../authorization.js";

export interface HttpEnv {
  Bindings: HttpBindings;
  Variables: { clientAddress: string; agent: AuthenticatedAgent };
}

export type HttpContext = Context<HttpEnv>;

/**
 * A JSON body: strict, and of this shape. The content type is demanded, since a form of another site cannot send it.
 * @throws ProtocolError `unsupported_media_type`, and the encoding codes
 */
export async function readJson<T>(c: HttpContext, schema: z.ZodMiniType<T>): Promise<T> {
  return parse(schema, await readStrict(c, "application/json"));
}

async function readStrict(c: HttpContext, mediaType: string): Promise<Json> {
  requireMediaType(c, mediaType);
  return parseStrict(new Uint8Array(await c.req.arrayBuffer()));
}

/**
 * A form body whose parameters occur once each (RFC 6749 section 3.1).
 * @throws ProtocolError `unsupported_media_type`, `invalid_request`
 */
export async function readForm(c: HttpContext): Promise<ReadonlyMap<string, string>> {
  requireMediaType(c, "application/x-www-form-urlencoded");
  const parameters = [...new URLSearchParams(await c.req.text())];
  const form = new Map(parameters);
  if (form.size !== parameters.length) throw new ProtocolError("invalid_request");
  return form;
}

function requireMediaType(c: HttpContext, mediaType: string): void {
  const [given = ""] = (c.req.header("content-type") ?? "").split(";");
  if (given.trim().toLowerCase() !== mediaType) throw new ProtocolError("unsupported_media_type");
}
