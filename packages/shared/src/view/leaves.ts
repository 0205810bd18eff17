import type { Json } from "../json.js";
import { masked } from "./quote.js";
import type { Kind, Provenance, Row } from "./row.js";
import { visible } from "./visible.js";

/** Who put a value there, what it is, and our word for it. */
export interface Naming {
  provenance: Provenance;
  kind?: Kind | undefined;
  word?: string | undefined;
}

/** Rows for every leaf, in the order in which JCS sorts members. A value that is no text carries its type in the label. */
export function leaves(path: string, value: Json, naming: Naming): Row[] {
  const { provenance, kind = "text", word } = naming;
  const row = (note: string, shown: string, as: Kind): Row => [
    `${word === undefined ? "" : `${word}: `}${path}${note}`,
    shown,
    provenance,
    as,
  ];
  if (typeof value === "string") {
    return [value === "" ? row(" (empty text)", "", "text") : row("", masked(value, kind), kind)];
  }
  if (value === null) return [row(" (null)", "null", "text")];
  if (typeof value === "number") return [row(" (number)", String(value), "number")];
  if (typeof value === "boolean") return [row(" (boolean)", String(value), "text")];
  const inner = members(path, value);
  if (inner.length === 0)
    return [row(isList(value) ? " (empty list)" : " (empty object)", "", "text")];
  return inner.flatMap(([innerPath, one]) => leaves(innerPath, one, naming));
}

/** What a list or an object holds, each with its path, in JCS's order: that of UTF-16 code units, as `sort` has it. */
export function members(
  path: string,
  value: readonly Json[] | { readonly [member: string]: Json },
): [path: string, value: Json][] {
  if (isList(value)) return value.map((one, index) => [`${path}[${index}]`, one]);
  return Object.keys(value)
    .sort()
    .map((member) => [`${path}.${memberLabel(member)}`, value[member] as Json]);
}

export const isList = (value: object): value is readonly Json[] => Array.isArray(value);

/** A plain name stands as it is; anything else is quoted, so that a label cannot imitate another path. */
function memberLabel(member: string): string {
  return /^[A-Za-z0-9_-]+$/.test(member) ? member : JSON.stringify(visible(member));
}
