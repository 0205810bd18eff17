import type { Action } from "../action.js";
import { concat, fromBase64url } from "../bytes.js";
import { ProtocolError } from "../errors.js";
import { hash } from "../hash.js";
import { canonicalBytes, type Json } from "../json.js";
import type { Manifest } from "../manifest.js";
import type { AuthorizationRequest } from "../request-object.js";
import { visible } from "./visible.js";

/** Who put a value there: the agent's library, the policy, or the model. */
export type Provenance = "library" | "policy" | "model";

/** One line of the review: label, value, provenance (section 3, object 5). */
export type Row = readonly [label: string, value: string, provenance: Provenance];
export type View = readonly Row[];

/** Every renderer version that is not withdrawn. A request names one of these or cannot be approved. */
export const renderers = ["1"] as const;

/**
 * The rows that an approver signs for. Total: every leaf of the manifest but its salts, and of AR's tier,
 * approvers, quorum and expiry, is a row; nothing is cut; hostile characters are visible.
 * Pure: no clock, no locale, no Intl, so that agent and phone derive the same `view_hash`.
 * @throws ProtocolError `renderer_unsupported`
 */
export function render(manifest: Manifest, request: AuthorizationRequest): View {
  const { detail, claims } = request;
  if (!renderers.some((version) => version === detail.renderer)) {
    throw new ProtocolError("renderer_unsupported");
  }
  const { v, action, agent_claim, reasons, captured_at, screenshot } = manifest;
  const { tool, args, ...facts } = action;
  return [
    ["tool", visible(tool), "model"],
    ...leaves("args", args, "model"),
    ...actionFacts(facts),
    ["tier", detail.tier, "policy"],
    ...leaves("reasons", reasons, "policy"),
    ...leaves("approvers", detail.approvers, "policy"),
    ["quorum", String(detail.quorum), "policy"],
    ["expires", utcTime(claims.exp), "policy"],
    ["captured at", utcTime(captured_at), "library"],
    ...(screenshot ? leaves("screenshot", screenshot, "library") : []),
    ["manifest version", String(v), "library"],
    ...(agent_claim === undefined ? [] : [["agent says", visible(agent_claim), "model"] as const]),
  ];
}

/** `H("view", salt || JCS(view))`: bound to the salt, so that it tells a guesser nothing (section 3, object 5). */
export function viewHash(view: View, salt: string): string {
  return hash("view", concat(fromBase64url(salt), canonicalBytes(view)));
}

function actionFacts(facts: Omit<Action, "tool" | "args">): Row[] {
  const { v, reversible, target, cwd, env, preconditions, undo, ...none } = facts;
  // Named one by one: the order must not hang on who built the object, and none may be forgotten.
  none satisfies Record<string, never>;
  const rest = { target, cwd, env, preconditions, undo };
  return [
    ["can be undone", reversible ? "yes" : "no", "library"],
    ...Object.entries(rest).flatMap(([name, value]) =>
      value === undefined ? [] : leaves(name, value as Json, "library"),
    ),
    ["action version", String(v), "library"],
  ];
}

/** Rows for every leaf, in the order in which JCS sorts members. A value that is no text carries its type in the label. */
function leaves(path: string, value: Json, provenance: Provenance): Row[] {
  if (typeof value === "string") {
    return [
      value === "" ? [`${path} (empty text)`, "", provenance] : [path, visible(value), provenance],
    ];
  }
  if (value === null || typeof value !== "object") {
    return [[`${path} (${value === null ? "null" : typeof value})`, String(value), provenance]];
  }
  if (isList(value)) {
    if (value.length === 0) return [[`${path} (empty list)`, "", provenance]];
    return value.flatMap((inner, index) => leaves(`${path}[${index}]`, inner, provenance));
  }
  const members = Object.keys(value).sort(byCodeUnits);
  if (members.length === 0) return [[`${path} (empty object)`, "", provenance]];
  return members.flatMap((member) =>
    leaves(`${path}.${memberLabel(member)}`, value[member] as Json, provenance),
  );
}

const isList = (value: object): value is readonly Json[] => Array.isArray(value);

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A plain name stands as it is; anything else is quoted, so that a label cannot imitate another path. */
function memberLabel(member: string): string {
  return /^[A-Za-z0-9_-]+$/.test(member) ? member : JSON.stringify(visible(member));
}

/** `2026-11-20 12:00:00 UTC` from a NumericDate. */
function utcTime(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
