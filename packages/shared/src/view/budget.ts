import type { Action } from "../action.js";
import { ProtocolError } from "../errors.js";
import type { Json } from "../json.js";
import { isList } from "./leaves.js";
import type { View } from "./row.js";

/** More rows than this nobody reads, and a phone no longer draws. */
export const maxViewRows = 20_000;
/** Of all labels and values together, in UTF-16 code units. */
export const maxViewCharacters = 4_000_000;

/**
 * Stops before a row is built: every leaf repeats its whole path, so that few octets can stand for a view that no
 * memory holds. What is derived from a leaf is a small multiple of it, and {@link requireSmallView} counts that.
 * @throws ProtocolError `too_large`
 */
export function requireSmallAction(action: Action): void {
  const spend = createBudget();
  for (const [name, value] of Object.entries(action)) {
    if (value !== undefined) spendLeaves(name.length, value as Json, spend);
  }
}

/** @throws ProtocolError `too_large` */
export function requireSmallView(view: View): View {
  const spend = createBudget();
  for (const [label, value] of view) spend(label.length + value.length);
  return view;
}

type Spend = (characters: number) => void;

function createBudget(): Spend {
  let rowsLeft = maxViewRows;
  let charactersLeft = maxViewCharacters;
  return (characters) => {
    rowsLeft -= 1;
    charactersLeft -= characters;
    if (rowsLeft < 0 || charactersLeft < 0)
      throw new ProtocolError("too_large", { reason: "view" });
  };
}

/** Counts what {@link leaves} would say of a value, by the lengths alone and no further than the budget goes. */
function spendLeaves(pathLength: number, value: Json, spend: Spend): void {
  if (typeof value === "string") {
    spend(pathLength + value.length);
  } else if (value === null || typeof value !== "object") {
    spend(pathLength);
  } else if (isList(value)) {
    if (value.length === 0) spend(pathLength);
    for (const one of value) spendLeaves(pathLength + "[0]".length, one, spend);
  } else {
    const names = Object.keys(value);
    if (names.length === 0) spend(pathLength);
    for (const name of names) spendLeaves(pathLength + 1 + name.length, value[name] as Json, spend);
  }
}
