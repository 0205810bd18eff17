import type { Action } from "../action.js";
import type { Json } from "../json.js";
import { type Findings, findings } from "./address.js";
import { suspicions } from "./look-alikes.js";
import { quote } from "./quote.js";
import type { Kind } from "./row.js";
import { visible } from "./visible.js";

/** What a member must be for a descriptor to apply; `texts` is a text or a list of them, `map` an object of texts. */
export type Shape = "text" | "texts" | "map" | "number" | "boolean" | "any";

export interface Field {
  /** Our word for it. */
  word: string;
  shape: Shape;
  kind?: Kind;
  optional?: true;
  /** What we derive from a text of this field. */
  about?: (path: string, text: string) => Findings;
}

export type Args = Readonly<Record<string, Json>>;

/**
 * How one tool's action is shown. It applies only to arguments of exactly these shapes; it may order and name what it
 * knows, and whatever it does not know is shown all the same.
 */
export interface Descriptor {
  /** The dangerous ones first. */
  fields: Readonly<Record<string, Field>>;
  /** One plain sentence of our words; the arguments in it are quoted. */
  sentence: (args: Args, action: Action) => string;
  /** What follows from several fields together. */
  about?: (args: Args, action: Action) => Findings;
}

const aboutName = (path: string, text: string): Findings => findings(path, suspicions(text));

function aboutPath(path: string, text: string): Findings {
  const said = suspicions(text);
  if (/(^|[/\\])\.\.([/\\]|$)/.test(text)) said.push("Goes up through .. to another folder");
  if (visible(text) !== text) said.push("Unusual characters in the path");
  return findings(path, said);
}

export const field = {
  text: (word: string): Field => ({ word, shape: "text" }),
  texts: (word: string): Field => ({ word, shape: "texts" }),
  map: (word: string): Field => ({ word, shape: "map" }),
  number: (word: string): Field => ({ word, shape: "number" }),
  boolean: (word: string): Field => ({ word, shape: "boolean" }),
  any: (word: string): Field => ({ word, shape: "any" }),
  code: (word: string): Field => ({ word, shape: "text", kind: "code" }),
  path: (word: string): Field => ({ word, shape: "text", kind: "path", about: aboutPath }),
  paths: (word: string): Field => ({ word, shape: "texts", kind: "path", about: aboutPath }),
  name: (word: string): Field => ({ word, shape: "text", kind: "person", about: aboutName }),
};

export const optional = (one: Field): Field => ({ ...one, optional: true });

/** An argument within a sentence, masked as its row of that kind is; of a list the first ones and how many more. */
export function said(value: Json | undefined, kind: Kind = "path"): string {
  if (typeof value === "string") return quote(value, kind);
  if (Array.isArray(value)) {
    const shown = value
      .slice(0, 3)
      .map((one) => said(one, kind))
      .join(", ");
    return value.length > 3 ? `${shown} and ${value.length - 3} more` : shown;
  }
  return quote(String(value));
}

/** Where on the screen the action would land, as the library saw it. */
export function onScreen({ target }: Action): string {
  const { element, application, window, url } = target ?? {};
  const where = application ?? window;
  return [
    element === undefined ? "" : ` on ${quote(element, "text")}`,
    where === undefined ? "" : ` in ${quote(where, "text")}`,
    url === undefined ? "" : ` at ${quote(url, "address")}`,
  ].join("");
}
