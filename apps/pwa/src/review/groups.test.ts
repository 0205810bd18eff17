import type { View } from "@countersign/shared";
import { expect, test } from "vitest";
import { groupNames, groupRows } from "./groups.js";

test("every row of a view but the sentence is shown exactly once, in its order, under its heading", () => {
  const view: View = [
    ["what would happen", "Do it", "library", "sentence"],
    ["warning about args.tier", "Mind this", "library", "warning"],
    ["tier: args.tier", "not the tier", "model", "text"],
    ["host of args.tier", "a.example", "library", "host"],
    ["args (empty list)", "", "model", "text"],
    ["tool", "t", "model", "text"],
    ["can be undone", "no", "library", "text"],
    ["something new", "x", "library", "text"],
    ["host of target.url", "b.example", "library", "host"],
    ["tier", "red", "policy", "text"],
    ["reasons[0]", "r", "policy", "text"],
    ["captured at", "2026", "library", "text"],
    ["screenshot.width (number)", "1", "library", "number"],
    ["agent says", "please", "model", "text"],
  ];
  const groups = groupRows(view);
  expect(groupNames.flatMap((name) => groups[name]).toSorted()).toEqual(view.slice(1).toSorted());
  expect(groups.warnings).toEqual(view.slice(1, 2));
  expect(groups.action).toEqual(view.slice(2, 6));
  expect(groups.circumstances).toEqual(view.slice(6, 9));
  expect(groups.rules).toEqual(view.slice(9, 11));
  expect(groups.picture).toEqual(view.slice(11, 13));
  expect(groups.claim).toEqual(view.slice(13));
});
