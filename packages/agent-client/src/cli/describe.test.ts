import { expect, it } from "vitest";
import { describe } from "./describe.js";

it("hands out an action that a person can read, with whatever is in it escaped", () => {
  const args = { path: "/srv/x\n\u202ey" };
  const action = { v: 1 as const, tool: "file.delete", args, preconditions: [], reversible: false };
  const lines = describe({ status: "claimed", rid: "x", action }).split("\n");
  expect(lines.slice(1, 4)).toEqual(["{", '  "v": 1,', '  "tool": "file.delete",']);
  expect(lines).toHaveLength(JSON.stringify(action, null, 2).split("\n").length + 1);
  expect(lines.join()).not.toContain("\u202e");
});

it("says what to do where nobody was asked", () => {
  const refused = (code: string) => describe({ status: "refused_by_policy", code });
  expect(refused("not_paired")).toContain("countersign pair");
  expect(refused("number_not_exact")).toBe("Refused (number_not_exact): nobody was asked.");
});
