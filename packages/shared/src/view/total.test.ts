import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toBase64url } from "../bytes.js";
import { canonicalBytes, type Json } from "../json.js";
import { anyAction, anyText } from "./any-action.js";
import { describe as describeAction } from "./describe.js";
import { argsFrom, exhaustive, manifestOf, readBack, valuesOf, viewOf, world } from "./fixture.js";
import { render, viewHash } from "./render.js";
import { visible } from "./visible.js";

/** The long form of the acceptance: VIEW_FUZZ_RUNS=10000. */
const numRuns = Number(process.env["VIEW_FUZZ_RUNS"] ?? 300);

const shuffled = (one: unknown): unknown => {
  if (Array.isArray(one)) return one.map(shuffled);
  if (one === null || typeof one !== "object") return one;
  const entries = Object.entries(one).reverse();
  return Object.fromEntries(entries.map(([key, inner]) => [key, shuffled(inner)]));
};

describe("whatever the arguments", { timeout: 300_000 }, () => {
  test("the person has seen all of them: they can be put together again from the rows", () => {
    fc.assert(
      fc.property(anyAction, ([tool, given]) => {
        const view = viewOf(tool, given);
        expect(toBase64url(canonicalBytes(argsFrom(view)))).toBe(
          toBase64url(canonicalBytes(given)),
        );
        const shownTool = view.find(([label]) => label === "tool")?.[1] ?? "";
        expect(readBack(shownTool)).toBe(tool);
      }),
      { numRuns },
    );
  });

  test("agent and phone see the same", () => {
    fc.assert(
      fc.property(anyAction, ([tool, given]) => {
        const manifest = manifestOf(tool, given);
        const view = render(manifest, world.request);
        const copy = structuredClone(manifest);
        expect(render(copy, structuredClone(world.request))).toStrictEqual(view);
        const other = shuffled(manifest) as typeof manifest;
        expect(render(other, world.request)).toStrictEqual(view);
        expect(viewHash(render(other, world.request), manifest.salt)).toBe(
          viewHash(view, manifest.salt),
        );
      }),
      { numRuns },
    );
  });

  test("what is not ours stands in a row of the model's, or quoted", () => {
    const ours = /^[A-Za-z0-9 .,:;/@%()'-]*$/;
    fc.assert(
      fc.property(anyAction, ([tool, given]) => {
        for (const [label, shown, provenance, kind] of viewOf(tool, given)) {
          if (provenance === "model" || !["sentence", "warning", "fact"].includes(kind)) continue;
          if (/ in letters$/.test(label)) continue;
          expect(shown.replace(/⟪[^⟪⟫]*⟫/g, "")).toMatch(ours);
        }
      }),
      { numRuns },
    );
  });

  test("a text cannot leave its quotes, and the words around it stay ours", () => {
    fc.assert(
      fc.property(anyText, (path) => {
        const { sentence } = describeAction(
          manifestOf("folder.delete", { path, recursive: true }).action,
        );
        const around = sentence.split(/⟪[^⟪⟫]*⟫/);
        expect(around).toEqual(["Delete the folder ", " and everything in it"]);
      }),
      { numRuns },
    );
  });
});

test("a value of the model's is what visible() makes of it, to the letter", () => {
  fc.assert(
    fc.property(anyText, (content) => {
      fc.pre(content !== "");
      const rows = viewOf("file.append", { path: "/a", content });
      expect(valuesOf(rows, "code")).toEqual([visible(content)]);
    }),
    { numRuns },
  );
});

test("what the agent says changes no row but its own", () => {
  const manifest = manifestOf("folder.delete", { path: "/a" });
  const silent = render(manifest, world.request);
  fc.assert(
    fc.property(anyText, (claim) => {
      const rows = render({ ...manifest, agent_claim: claim }, world.request);
      expect(rows.slice(0, -1)).toStrictEqual(silent);
      expect(rows.at(-1)).toEqual(["agent says", visible(claim), "model", "text"]);
    }),
    { numRuns },
  );
});

test("a descriptor fits only the arguments it was written for", () => {
  const unknown = (tool: string, given: Json) =>
    viewOf(tool, given)[0]?.[1].startsWith("Unrecognised action");
  expect(unknown("folder.delete", { path: "/a" })).toBe(false);
  for (const given of [
    {},
    [],
    null,
    "/a",
    { path: 1 },
    { path: ["/a"] },
    { path: "/a", recursive: "no" },
  ]) {
    expect(unknown("folder.delete", given), JSON.stringify(given)).toBe(true);
  }
  expect(unknown("folder.Delete", { path: "/a" })).toBe(true);
  for (const given of ["x", 1, true, null, [], [{ x: 1 }]]) {
    expect(unknown("mouse.click", given), JSON.stringify(given)).toBe(true);
  }
  for (const to of [[], ["a@b.example", 1], [1, "a@b.example"], 1, null, { a: "a@b.example" }]) {
    expect(unknown("email.send", { to }), JSON.stringify(to)).toBe(true);
  }
  for (const headers of [null, "x", "", 1, ["x"], { a: "x", b: 1 }, { a: 1, b: "x" }]) {
    const asked = { url: "https://a.example", method: "GET", headers };
    expect(unknown("http.request", asked), JSON.stringify(headers)).toBe(true);
  }
});

test("arguments that a descriptor does not know are shown, and said to be unknown", () => {
  const view = viewOf("folder.delete", { path: "/a", dry_run: false, "path ": "/b" });
  expect(view).toContainEqual(["args.dry_run (boolean)", "false", "model", "text"]);
  expect(view).toContainEqual(['args."path⟦1 space⟧"', "/b", "model", "text"]);
  expect(valuesOf(view, "warning")[0]).toMatch(/^Arguments that are not known here/);
});

exhaustive(
  "a hundred thousand characters of any kind take a moment, not a minute",
  () => {
    for (const unit of [
      "sudo ",
      "a && ",
      "$(",
      "'",
      "`",
      "(",
      "{ ",
      "<<A\n",
      "https://a.b/ ",
      "\u0301",
      "א",
      'x="$y" ',
      "| sh ",
    ]) {
      const command = unit.repeat(100_000 / unit.length);
      expect(viewOf("shell.exec", { command }).length).toBeGreaterThan(5);
    }
  },
  60_000,
);
