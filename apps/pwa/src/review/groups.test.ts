import type { View } from "@countersign/shared";
import { expect, test } from "vitest";
import { groupNames, groupRows } from "./groups.js";

test("every row of a view is shown exactly once, in its order, under its heading", () => {
  const view: View = [
    ["tool", "t", "model"],
    ["args.tier", "not the tier", "model"],
    ["args (empty list)", "", "model"],
    ["can be undone", "no", "library"],
    ["something new", "x", "library"],
    ["tier", "red", "policy"],
    ["reasons[0]", "r", "policy"],
    ["captured at", "2026", "library"],
    ["screenshot.width (number)", "1", "library"],
    ["agent says", "please", "model"],
  ];
  const groups = groupRows(view);
  expect(groupNames.flatMap((name) => groups[name]).toSorted()).toEqual(view.toSorted());
  expect(groups.action).toEqual(view.slice(0, 3));
  expect(groups.circumstances).toEqual(view.slice(3, 5));
  expect(groups.rules).toEqual(view.slice(5, 7));
  expect(groups.picture).toEqual(view.slice(7, 9));
  expect(groups.claim).toEqual(view.slice(9));
});
