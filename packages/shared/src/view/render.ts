import type { Action } from "../action.js";
import { concat, fromBase64url } from "../bytes.js";
import { ProtocolError } from "../errors.js";
import { hash } from "../hash.js";
import { canonicalBytes, type Json } from "../json.js";
import type { Manifest } from "../manifest.js";
import type { AuthorizationRequest } from "../request-object.js";
import { requireSmallAction, requireSmallView } from "./budget.js";
import { describe, withFindings } from "./describe.js";
import { leaves } from "./leaves.js";
import { masked } from "./quote.js";
import type { Row, View } from "./row.js";
import { hasMask, visible } from "./visible.js";

/** Every renderer version that is not withdrawn. A request names one of these or cannot be approved. */
export const renderers = ["2"] as const;

/** What of AR stands in the view: known before anything is sealed. */
export interface RenderedRequest {
  detail: Pick<AuthorizationRequest["detail"], "renderer" | "tier" | "approvers" | "quorum">;
  claims: Pick<AuthorizationRequest["claims"], "exp">;
}

/**
 * The rows that an approver signs for: what would happen, what is dangerous about it, then every leaf of the manifest
 * but its salts, and of AR's tier, approvers, quorum and expiry. Nothing is cut; hostile characters are visible; secrets
 * of a known format are told by kind, length and hash.
 * Pure: no clock, no locale, no Intl, so that agent and phone derive the same `view_hash`.
 * @throws ProtocolError `renderer_unsupported`; `too_large` for more than a phone can show
 */
export function render(manifest: Manifest, request: RenderedRequest): View {
  const { detail, claims } = request;
  if (!renderers.some((version) => version === detail.renderer)) {
    throw new ProtocolError("renderer_unsupported");
  }
  requireSmallAction(manifest.action);
  const { v, action, agent_claim, reasons, captured_at, screenshot } = manifest;
  const { tool, args: _args, ...facts } = action;
  const { sentence, warnings, rows } = describe(action);
  const surroundings = actionFacts(facts);
  const view: Row[] = [
    ["what would happen", sentence, "library", "sentence"],
    ...warnings,
    ...surroundings.warnings,
    ...rows,
    ["tool", visible(tool), "model", "text"],
    ...surroundings.rows,
    ["tier", detail.tier, "policy", "text"],
    ...leaves("reasons", reasons, { provenance: "policy" }),
    ...leaves("approvers", detail.approvers, { provenance: "policy" }),
    ["quorum", String(detail.quorum), "policy", "number"],
    ["expires", utcTime(claims.exp), "policy", "text"],
    ["captured at", utcTime(captured_at), "library", "text"],
    ...(screenshot ? leaves("screenshot", screenshot, { provenance: "library" }) : []),
    ["manifest version", String(v), "library", "number"],
  ];
  const claim: Row[] =
    agent_claim === undefined ? [] : [["agent says", masked(agent_claim, "text"), "model", "text"]];
  return requireSmallView([...view, ...whatIsMasked(manifest, [...view, ...claim]), ...claim]);
}

/** The short hashes tell secrets apart; this one, salted, makes the view stand for no other octets than these. */
function whatIsMasked(manifest: Manifest, view: View): Row[] {
  if (!view.some(([, value]) => hasMask(value))) return [];
  return [["with what is masked", hash("context", canonicalBytes(manifest)), "library", "text"]];
}

/** `H("view", salt || JCS(view))`: bound to the salt, so that it tells a guesser nothing (section 3, object 5). */
export function viewHash(view: View, salt: string): string {
  return hash("view", concat(fromBase64url(salt), canonicalBytes(view)));
}

function actionFacts(facts: Omit<Action, "tool" | "args">): { rows: Row[]; warnings: Row[] } {
  const { v, reversible, target, cwd, env, preconditions, undo, ...none } = facts;
  // Named one by one: the order must not hang on who built the object, and none may be forgotten.
  none satisfies Record<string, never>;
  const parts = Object.entries({ target, cwd, env, preconditions, undo }).flatMap(
    ([name, value]) =>
      value === undefined ? [] : [withFindings(name, value as Json, { provenance: "library" })],
  );
  return {
    warnings: parts.flatMap(({ warnings }) => warnings),
    rows: [
      ["can be undone", reversible ? "yes" : "no", "library", "text"],
      ...parts.flatMap(({ rows }) => rows),
      ["action version", String(v), "library", "number"],
    ],
  };
}

/** `2026-11-20 12:00:00 UTC` from a NumericDate. */
function utcTime(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
