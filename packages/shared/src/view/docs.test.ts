import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { descriptors } from "./describe.js";

test("the page on actions names every tool and each of its arguments", () => {
  const page = readFileSync(new URL("../../../../docs/actions.md", import.meta.url), "utf8");
  const listed = [...page.matchAll(/^\| `([a-z_.]+)`\s+\| (.*) \|$/gm)].map(([, tool, args]) => [
    tool,
    [...(args ?? "").matchAll(/`([a-z_]+)(\??)`/g)].map(([, name, mark]) => [name, mark === "?"]),
  ]);
  const known = [...descriptors].map(([tool, { fields }]) => [
    tool,
    Object.entries(fields).map(([name, { optional }]) => [name, optional === true]),
  ]);
  expect(listed).toEqual(known);
});
