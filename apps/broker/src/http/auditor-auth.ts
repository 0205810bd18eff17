import { ProtocolError } from "@countersign/shared";
import type { Broker } from "../broker.js";
import { findAuditor } from "../db/auditors.js";
import { tokenHash } from "../registration.js";
import type { HttpContext } from "./context.js";

/** Asked at every call, so that who was removed reads no further. @throws ProtocolError `auditor_required` */
export async function authenticateAuditor(broker: Broker, c: HttpContext): Promise<string> {
  const [scheme = "", token = ""] = (c.req.header("authorization") ?? "").split(" ");
  const named = scheme.toLowerCase() === "bearer" && token !== "";
  const name = named ? await findAuditor(broker.db, tokenHash(token)) : undefined;
  if (name === undefined) throw new ProtocolError("auditor_required");
  return name;
}
