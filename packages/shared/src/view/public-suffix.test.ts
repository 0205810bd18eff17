import { createRequire } from "node:module";
import fc from "fast-check";
import { getDomain } from "tldts";
import { describe, expect, test } from "vitest";
import { exhaustive } from "./fixture.js";
import { registrableDomain } from "./public-suffix.js";

interface Trie {
  rulesRoot: number;
  edgeStart: Uint16Array;
  edgeLength: Uint8Array;
  edgeChild: Uint16Array;
  labelText: string;
}

/** Every name in the list that the table is made from, in ASCII. */
function namesOf(list: Trie): string[] {
  const offsets: number[] = [];
  list.edgeLength.reduce((sum, length) => {
    offsets.push(sum);
    return sum + length;
  }, 0);
  const below = (node: number, suffix: string): string[] => {
    const names: string[] = [];
    for (let edge = list.edgeStart[node] ?? 0; edge < (list.edgeStart[node + 1] ?? 0); edge++) {
      const start = offsets[edge] ?? 0;
      const label = list.labelText.slice(start, start + (list.edgeLength[edge] ?? 0));
      if (!/^[a-z0-9*-]+$/.test(label)) continue;
      const name = `${label === "*" ? "any" : label}${suffix}`;
      names.push(name, ...below(list.edgeChild[edge] ?? 0, `.${name}`));
    }
    return names;
  };
  return below(list.rulesRoot, "");
}

describe("the registered domain", () => {
  const require = createRequire(import.meta.url);
  const list = require("tldts/dist/cjs/src/data/trie.js") as Trie;
  const names = namesOf(list);
  const rules = [...new Set(names.flatMap((name) => name.split(".")))];
  const domainOf = (host: string) => getDomain(host, { allowPrivateDomains: true }) ?? undefined;

  test("below every name of the list is what the list's own library says", () => {
    expect(names.length).toBeGreaterThan(10_000);
    const wrong = names
      .flatMap((name) => [name, `b.${name}`, `a.b.${name}`])
      .filter((host) => registrableDomain(host) !== domainOf(host));
    expect(wrong).toEqual([]);
  });

  exhaustive("of any host of listed labels is what the list's own library says", () => {
    const label = fc.oneof(
      fc.constantFrom(...rules),
      fc.constantFrom("a", "www", "com", "co", "uk", "jp", "kawasaki", "city"),
    );
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 5 }), (labels) => {
        const host = labels.join(".");
        expect(registrableDomain(host), host).toBe(domainOf(host));
      }),
      { numRuns: 5_000 },
    );
  });
});
