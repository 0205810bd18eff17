import { readFile } from "node:fs/promises";
import { buildWithFaults } from "@countersign/test-kit/broker-process";
import { expect, it } from "vitest";

it("has fault points in the tests' build and nothing of them in a release", async () => {
  const paths = await buildWithFaults();
  const [release, withFaults] = await Promise.all(
    [paths.release, paths.withFaults].map((path) => readFile(path, "utf8")),
  );
  for (const word of ["faultPoint", "armFault", 'env["FAULT"]', "__FAULTS__", "faultsAreBuiltIn"]) {
    expect(release?.includes(word), word).toBe(false);
  }
  expect(withFaults).toContain("faultPoint");
}, 60_000);
