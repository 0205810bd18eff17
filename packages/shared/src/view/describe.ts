import type { Action } from "../action.js";
import type { Json } from "../json.js";
import {
  aboutAddress,
  both,
  type Findings,
  findings,
  looksLikeAddress,
  nothing,
} from "./address.js";
import type { Args, Descriptor, Field, Shape } from "./descriptor.js";
import { onScreen } from "./descriptor.js";
import { isList, leaves, members } from "./leaves.js";
import { quote } from "./quote.js";
import type { Kind, Provenance, Row } from "./row.js";
import { commands } from "./tools/commands.js";
import { files } from "./tools/files.js";
import { git } from "./tools/git.js";
import { network } from "./tools/network.js";
import { screen } from "./tools/screen.js";

/** By tool, as docs/actions.md lists them. */
export const descriptors: ReadonlyMap<string, Descriptor> = new Map(
  Object.entries({ ...commands, ...files, ...git, ...network, ...screen }),
);

interface Description {
  sentence: string;
  warnings: Row[];
  /** One row for each leaf of the arguments, and after it what we derive from it. */
  rows: Row[];
}

/** The arguments by the tool's descriptor, the dangerous ones first; raw where no descriptor fits. */
export function describe(action: Action): Description {
  const { tool, args } = action;
  const descriptor = descriptors.get(tool);
  if (descriptor && fits(descriptor, args)) return described(descriptor, args, action);
  const { rows, warnings } = withFindings("args", args, { provenance: "model" });
  const mcp = /^mcp\.([^.]+)\.(.+)/s.exec(tool);
  const sentence = mcp
    ? `Call the tool ${quote(mcp[2] as string)} of the MCP server ${quote(mcp[1] as string)}`
    : `Unrecognised action: ${quote(tool)}${onScreen(action)}`;
  const unknown = "What it does is not known here: its arguments are shown as they are";
  return { sentence, warnings: [...findings("tool", [unknown]).warnings, ...warnings], rows };
}

function described(descriptor: Descriptor, args: Args, action: Action): Description {
  const known = Object.entries(descriptor.fields).flatMap(([member, field]) => {
    const value = Object.hasOwn(args, member) ? args[member] : undefined;
    return value === undefined ? [] : [withFindings(`args.${member}`, value, namingOf(field))];
  });
  const others = members("args", args).filter(([path]) => {
    return !Object.hasOwn(descriptor.fields, path.slice("args.".length));
  });
  const rest = others.map(([path, value]) => withFindings(path, value, { provenance: "model" }));
  // Where there is nothing, that is what there is to see.
  const empty = Object.keys(args).length === 0 ? leaves("args", args, { provenance: "model" }) : [];
  const whole = descriptor.about?.(args, action) ?? nothing;
  const surplus =
    "Arguments that are not known here: what they change is not in the sentence above";
  return {
    sentence: descriptor.sentence(args, action),
    warnings: [
      ...whole.warnings,
      ...known.flatMap(({ warnings }) => warnings),
      ...(rest.length > 0 ? findings("args", [surplus]).warnings : []),
      ...rest.flatMap(({ warnings }) => warnings),
    ],
    rows: [...empty, ...whole.facts, ...[...known, ...rest].flatMap(({ rows }) => rows)],
  };
}

function fits({ fields }: Descriptor, args: Json): args is Args {
  if (args === null || typeof args !== "object" || isList(args)) return false;
  return Object.entries(fields).every(([member, field]) => {
    const value = Object.hasOwn(args, member) ? args[member] : undefined;
    return value === undefined ? field.optional === true : hasShape(field.shape, value);
  });
}

function hasShape(shape: Shape, value: Json): boolean {
  const isText = (one: Json) => typeof one === "string";
  switch (shape) {
    case "any":
      return true;
    case "texts":
      return isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText));
    case "map":
      return (
        value !== null &&
        typeof value === "object" &&
        !isList(value) &&
        Object.values(value).every(isText)
      );
    case "text":
      return isText(value);
    case "number":
    case "boolean":
      return typeof value === shape;
  }
}

interface NamingWithFindings {
  provenance: Provenance;
  kind?: Kind | undefined;
  word?: string | undefined;
  about?: Field["about"] | undefined;
}

const namingOf = ({ kind, word, about }: Field): NamingWithFindings => ({
  provenance: "model",
  kind,
  word,
  about,
});

/** The rows of one value, each text's findings after it. Where nothing says what a text is, an address tells itself. */
export function withFindings(
  path: string,
  value: Json,
  naming: NamingWithFindings,
): { rows: Row[]; warnings: Row[] } {
  if (value !== null && typeof value === "object") {
    const inner = members(path, value);
    if (inner.length === 0) return { rows: leaves(path, value, naming), warnings: [] };
    const parts = inner.map(([innerPath, one]) => withFindings(innerPath, one, naming));
    return {
      rows: parts.flatMap(({ rows }) => rows),
      warnings: parts.flatMap(({ warnings }) => warnings),
    };
  }
  const about =
    naming.about ?? ((at, text) => (looksLikeAddress(text) ? aboutAddress(at, text) : nothing));
  const isAddress =
    naming.kind === undefined && typeof value === "string" && looksLikeAddress(value);
  const found: Findings = typeof value === "string" ? about(path, value) : nothing;
  const { facts, warnings } = both([found]);
  const rows = leaves(path, value, isAddress ? { ...naming, kind: "address" } : naming);
  return { rows: [...rows, ...facts], warnings };
}
