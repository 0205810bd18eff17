import { test } from "vitest";
import { createRequest } from "../fixture.js";
import type { Json } from "../json.js";
import type { Manifest } from "../manifest.js";
import { render } from "./render.js";
import type { Row, View } from "./row.js";

const isMutating = process.env["MUTATION_AREA"] !== undefined;
/** Hours when it is repeated for each mutant (`npm run mutate`); there the other tests have to notice. */
export const exhaustive = test.skipIf(isMutating);
/** Of those that a test goes through. */
export const lastCodePoint = isMutating ? 0x3000 : 0x10ffff;

export const world = await createRequest();

/** A manifest of nothing but this action's, so that no row of the fixture gets in the way. */
export function manifestOf(
  tool: string,
  args: Json,
  more: Partial<Manifest["action"]> = {},
): Manifest {
  const { agent_claim: _claim, ...manifest } = world.manifest;
  const plain = {
    v: 1,
    tool,
    args,
    preconditions: [],
    reversible: false,
  } satisfies Manifest["action"];
  return { ...manifest, action: { ...plain, ...more } };
}

export const viewOf = (tool: string, args: Json, more: Partial<Manifest["action"]> = {}): View =>
  render(manifestOf(tool, args, more), world.request);

export const valuesOf = (view: View, kind: Row[3]): string[] =>
  view.filter((row) => row[3] === kind).map(([, value]) => value);

/** The text that {@link visible} made visible: whoever can read it back has seen all of it. */
export function readBack(shown: string): string {
  return shown.replace(
    /⟦U\+([0-9A-F]+)⟧|⟦(\d+) spaces?⟧|⏎\n/g,
    (whole, codePoint?: string, spaces?: string) => {
      if (codePoint) return String.fromCodePoint(Number.parseInt(codePoint, 16));
      return spaces ? " ".repeat(Number(spaces)) : whole.slice(1);
    },
  );
}

/** The arguments put together again from the model's rows alone. */
export function argsFrom(view: View): Json {
  const root: { args?: Json } = {};
  for (const [label, value, provenance] of view) {
    const path =
      /^(?:[^:.[\]"]+: )?args((?:\.[A-Za-z0-9_-]+|\."(?:[^"\\]|\\.)*"|\[\d+\])*)(?: \(([a-z ]+)\))?$/s.exec(
        label,
      );
    if (provenance !== "model" || !path) continue;
    const keys = [
      ...(path[1] ?? "").matchAll(/\.([A-Za-z0-9_-]+)|\.("(?:[^"\\]|\\.)*")|\[(\d+)\]/gs),
    ];
    place(root, ["args", ...keys.map(keyOf)], leafOf(path[2], value));
  }
  return root.args as Json;
}

const keyOf = ([, plain, quoted, index]: RegExpMatchArray): string | number =>
  plain ?? (quoted === undefined ? Number(index) : readBack(JSON.parse(quoted) as string));

function leafOf(type: string | undefined, value: string): Json {
  if (type === "empty list") return [];
  if (type === "empty object") return {};
  return type === undefined || type === "empty text" ? readBack(value) : JSON.parse(value);
}

function place(root: object, path: (string | number)[], leaf: Json): void {
  let at = root as Record<string | number, unknown>;
  for (const [index, key] of path.entries()) {
    const next = path[index + 1];
    if (!Object.hasOwn(at, key)) {
      at[key] = next === undefined ? leaf : typeof next === "number" ? [] : {};
    }
    at = at[key] as typeof at;
  }
}
