import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { randomBytes, randomId, randomNonce, toBase64url } from "../bytes.js";
import { action, createAgentKey, createRequest, requestClaims } from "../fixture.js";
import { assertJson, canonicalBytes, type Json, parseCanonical } from "../json.js";
import { createManifest, type Manifest, parseManifest } from "../manifest.js";
import {
  type AuthorizationRequest,
  signRequestObject,
  verifyRequestObject,
} from "../request-object.js";
import { exhaustive, manifestOf, world } from "./fixture.js";
import { render, viewHash } from "./render.js";
import type { View } from "./row.js";
import { isHidden, visible } from "./visible.js";

let full: Manifest;
let request: AuthorizationRequest;
beforeAll(async () => {
  const world = await createRequest();
  const screenshot = { sha256: randomNonce(), mime: "image/png", width: 640, height: 480 } as const;
  full = { ...world.manifest, screenshot };
  request = world.request;
});

const isAllowed = (value: unknown): boolean => {
  try {
    assertJson(value);
    return true;
  } catch {
    return false;
  }
};
const arbitraryArgs = fc
  .jsonValue({ stringUnit: "binary" })
  .filter(isAllowed) as fc.Arbitrary<Json>;

const withArgs = (args: Json): Manifest => ({ ...full, action: { ...full.action, args } });
const argumentRows = (view: View) =>
  view.filter(([label, , by]) => by === "model" && /^([a-z ]+: )?args(?=[ .[]|$)/i.test(label));

type Path = readonly (string | number)[];

/** Every leaf, found without the renderer; an empty container is one, since it is something to see. */
function leavesOf(value: unknown, path: Path = []): { path: Path; leaf: unknown }[] {
  if (value === null || typeof value !== "object") return [{ path, leaf: value }];
  const inner: [string | number, unknown][] = Array.isArray(value)
    ? value.map((one, index) => [index, one])
    : Object.entries(value);
  if (inner.length === 0) return [{ path, leaf: value }];
  return inner.flatMap(([key, one]) => leavesOf(one, [...path, key]));
}

function replaced(value: unknown, path: Path, leaf: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return leaf;
  if (Array.isArray(value)) {
    return value.map((one, index) => (index === key ? replaced(one, rest, leaf) : one));
  }
  const members = value as Record<string, unknown>;
  return { ...members, [key]: replaced(members[key], rest, leaf) };
}

/** Another value of the same type, where there is one. */
function other(leaf: unknown): unknown {
  if (typeof leaf === "string") return `${leaf}x`;
  if (typeof leaf === "number") return leaf === 1 ? 2 : 1;
  if (typeof leaf === "boolean") return !leaf;
  return leaf === null ? "null" : [leaf];
}

describe("the view is total", () => {
  test("every leaf of the arguments is one row, and no two rows share a label", () => {
    fc.assert(
      fc.property(arbitraryArgs, (args) => {
        const rows = argumentRows(render(withArgs(args), request));
        const expected = leavesOf(args).map(({ leaf }) =>
          typeof leaf === "string"
            ? visible(leaf)
            : typeof leaf === "object" && leaf
              ? ""
              : String(leaf),
        );
        expect(rows.map(([, value]) => value).sort()).toEqual(expected.sort());
        expect(new Set(rows.map(([label]) => label)).size).toBe(rows.length);
      }),
    );
  });

  test("every leaf of the manifest but the salts, and of the request what the person must know, is one row", () => {
    const { salt: _salt, match_salt: _matchSalt, ...seen } = full;
    const { tier, approvers, quorum } = request.detail;
    const asked = { tier, approvers, quorum, exp: request.claims.exp };
    const derived = ["sentence", "warning", "fact", "host", "domain", "money"];
    const rows = render(full, request).filter(([, , , kind]) => !derived.includes(kind));
    expect(rows).toHaveLength(leavesOf(seen).length + leavesOf(asked).length);
  });

  test("a manifest of the fewest members still shows what is absent as absent", () => {
    const { manifest } = createManifest({
      action: { v: 1, tool: "t", args: {}, preconditions: [], reversible: true },
      reasons: [],
      capturedAt: 0,
    });
    expect(render(manifest, request)).toEqual([
      ["what would happen", "Unrecognised action: ⟪t⟫", "library", "sentence"],
      [
        "warning about tool",
        "What it does is not known here: its arguments are shown as they are",
        "library",
        "warning",
      ],
      ["args (empty object)", "", "model", "text"],
      ["tool", "t", "model", "text"],
      ["can be undone", "yes", "library", "text"],
      ["preconditions (empty list)", "", "library", "text"],
      ["action version", "1", "library", "number"],
      ["tier", "red", "policy", "text"],
      ["reasons (empty list)", "", "policy", "text"],
      ["approvers[0]", request.detail.approvers[0], "policy", "text"],
      ["quorum", "1", "policy", "number"],
      ["expires", "2027-01-15 08:05:00 UTC", "policy", "text"],
      ["captured at", "1970-01-01 00:00:00 UTC", "library", "text"],
      ["manifest version", "1", "library", "number"],
    ]);
  });

  test("nothing is cut, however long", () => {
    const text = "x".repeat(100_000);
    const list = Array.from({ length: 5_000 }, (_, index) => index);
    expect(argumentRows(render(withArgs(text), request))).toEqual([
      ["args", text, "model", "text"],
    ]);
    expect(argumentRows(render(withArgs(list), request))).toHaveLength(5_000);
  });
});

describe("the view's hash", () => {
  const hashOf = (manifest: Manifest, asked = request) =>
    viewHash(render(manifest, asked), full.salt);

  test("changes with any changed leaf of the arguments", () => {
    fc.assert(
      fc.property(arbitraryArgs, fc.nat(), (args, at) => {
        const leaves = leavesOf(args);
        const { path, leaf } = leaves[at % leaves.length] as (typeof leaves)[number];
        const changed = replaced(args, path, other(leaf)) as Json;
        expect(hashOf(withArgs(changed))).not.toBe(hashOf(withArgs(args)));
      }),
    );
  });

  test("differs for any two different arguments", () => {
    fc.assert(
      fc.property(arbitraryArgs, arbitraryArgs, (one, two) => {
        fc.pre(toBase64url(canonicalBytes(one)) !== toBase64url(canonicalBytes(two)));
        expect(hashOf(withArgs(one))).not.toBe(hashOf(withArgs(two)));
      }),
    );
  });

  test.each<[Json, Json]>([
    [{ a: "1" }, { a: 1 }],
    [{ a: "" }, { a: [] }],
    [{ a: {} }, { a: [] }],
    [{ a: "null" }, { a: null }],
    [{ a: "true" }, { a: true }],
    [{ "a.b": 1 }, { a: { b: 1 } }],
    [{ "a[0]": 1 }, { a: [1] }],
    [{ "0": 1 }, [1]],
    [{ a: ["x"] }, { "a[0]": "x" }],
    [{ "a (number)": "1" }, { a: 1 }],
    [{ '"a"': 1 }, { a: 1 }],
    [{ "a\u200b": 1 }, { a: 1 }],
    [{ "⟦U+200B⟧": 1 }, { "\u200b": 1 }],
    ["a b", "a  b"],
  ])("tells %j from %j", (one, two) => {
    expect(render(withArgs(one), request)).not.toEqual(render(withArgs(two), request));
    expect(hashOf(withArgs(one))).not.toBe(hashOf(withArgs(two)));
  });

  test("changes with any changed leaf of the manifest but the salts", () => {
    const { salt: _salt, match_salt: _matchSalt, ...seen } = full;
    for (const { path, leaf } of leavesOf(seen)) {
      const changed = replaced(full, path, other(leaf)) as Manifest;
      expect(hashOf(changed), path.join(".")).not.toBe(hashOf(full));
    }
  });

  test("changes with tier, approvers, quorum and expiry of the request", async () => {
    const agent = await createAgentKey();
    const [first, second] = [randomId(), randomId()];
    const claims = requestClaims(agent.kid, [first, second], randomNonce());
    const detail = claims.authorization_details[0];
    const hashFor = async (changed: typeof claims) =>
      hashOf(full, await verifyRequestObject(await signRequestObject(changed, agent), agent.jwk));
    const details = (change: object) => ({
      ...claims,
      authorization_details: [{ ...detail, ...change }] as typeof claims.authorization_details,
    });
    const hashes = await Promise.all(
      [
        claims,
        details({ tier: "yellow" as const }),
        details({ quorum: 2 }),
        details({ approvers: [first, randomId()] }),
        details({ approvers: [first] }),
        { ...claims, exp: claims.exp - 1 },
      ].map(hashFor),
    );
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test("changes with the salt, so that nobody can guess the action from it", () => {
    const view = render(full, request);
    expect(viewHash(view, full.salt)).not.toBe(viewHash(view, toBase64url(randomBytes(32))));
  });
});

describe("agent and phone see the same", () => {
  test("though the one made the manifest and the other read its bytes", () => {
    fc.assert(
      fc.property(arbitraryArgs, (args) => {
        const made = createManifest({ action: { ...action, args }, reasons: ["r"], capturedAt: 1 });
        const read = parseManifest(made.bytes);
        expect(render(read, request)).toStrictEqual(render(made.manifest, request));
        expect(parseCanonical(canonicalBytes(render(read, request)))).toEqual(
          render(read, request),
        );
      }),
    );
  });

  test("whatever the order in which the members were put in", () => {
    const backwards = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(backwards);
      if (value === null || typeof value !== "object") return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([member, inner]) => [member, backwards(inner)]),
      );
    };
    expect(render(backwards(full) as Manifest, request)).toStrictEqual(render(full, request));
  });
});

test("a secret that the agent speaks of is told as one", () => {
  const agent_claim = `I use ghp_${"a".repeat(36)}`;
  const rows = render({ ...manifestOf("t", {}), agent_claim }, world.request);
  expect(rows.at(-1)?.[1]).toMatch(/^I use ⟦secret: GitHub token, 40 characters, #[0-9a-f]{6}⟧$/);
});

exhaustive("no row hides a character in its value or its label", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, text, fc.dictionary(text, text), (tool, claim, args) => {
      fc.pre(isAllowed(args));
      const manifest = { ...withArgs(args), agent_claim: claim };
      const rows = render({ ...manifest, action: { ...manifest.action, tool } }, request);
      for (const character of rows.flatMap(([label, value]) => [...label, ...value])) {
        expect(character === "\n" || !isHidden(character.codePointAt(0) ?? 0)).toBe(true);
      }
    }),
  );
});

test("what the model says is last, and marked as the model's", () => {
  expect(render(full, request).at(-1)).toEqual([
    "agent says",
    "I send the report",
    "model",
    "text",
  ]);
});

test("a renderer that is not known renders nothing", () => {
  const unknown = { ...request, detail: { ...request.detail, renderer: "1" } };
  expect(() => render(full, unknown)).toThrow(
    expect.objectContaining({ code: "renderer_unsupported" }),
  );
});
