import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classifyCommand } from "../command/classify.js";
import type { CommandTier } from "../command/verdict.js";
import { defaultPolicy, readShipped } from "./default.js";
import { loadPolicy } from "./load.js";
import { judgeTable, readTable } from "./table.js";

const table = readTable(new TextEncoder().encode(await readShipped("table.json")));
const commands = table.flatMap(({ resource }) => {
  const text = resource.attributes["command"];
  return typeof text === "string" ? [text] : [];
});
const order: CommandTier[] = ["green", "yellow", "unknown", "red"];
const heightOf = (text: string, cwd?: string) => order.indexOf(classifyCommand(text, { cwd }).tier);

describe("the default policy", () => {
  it("takes every action of its table for what it is", async () => {
    const policy = await loadPolicy(await defaultPolicy(), "table");
    const { cases, wrong, missed, dangerous, overPrompted, harmless } = judgeTable(policy, table);
    const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;
    process.stdout.write(
      `${cases} actions; dangerous shown as green: ${missed} of ${dangerous} (${percent(missed, dangerous)}); ` +
        `harmless shown as red: ${overPrompted} of ${harmless} (${percent(overPrompted, harmless)})\n`,
    );
    expect(wrong).toEqual([]);
    expect(cases).toBeGreaterThanOrEqual(300);
    expect(missed).toBe(0);
  });
});

describe("the command classifier", () => {
  const rewrites: Record<string, (text: string) => string> = {
    "a pipe before": (text) => `ls | ${text}`,
    "a pipe behind": (text) => `${text} | cat`,
    "a list before": (text) => `true && ${text}`,
    "a list behind": (text) => `${text}; true`,
    "a subshell": (text) => `( ${text}\n)`,
    "a block": (text) => `{ ${text}\n}`,
    "a condition": (text) => `if true; then ${text}\nfi`,
    "a shell": (text) => `bash -c ${quote(text)}`,
    "a shell in a shell": (text) => `sh -c ${quote(`sh -c ${quote(text)}`)}`,
    "a substitution": (text) => `echo "$(${text}\n)"`,
    "a variable before": (text) => `FOO=bar ${text}`,
    "env before": (text) => `env NODE_ENV=test ${text}`,
    "a wrapper": (text) => `nohup ${text}`,
    "another wrapper": (text) => `nice -n 5 timeout 9 ${text}`,
    sudo: (text) => `sudo ${text}`,
    "a comment behind": (text) => `${text} # harmless`,
    "a path before the program": (text) => text.replace(/^(\w+)(?=\s|$)/, "/usr/bin/$1"),
    "a program in capitals": (text) =>
      text.replace(/^[a-z]+(?=\s|$)/, (name) => name.toUpperCase()),
    "a quoted program": (text) => text.replace(/^(\w)(\w*)(?=\s|$)/, "$1''$2"),
    "an escaped program": (text) => text.replace(/^(\w+)(?=\s|$)/, "\\$1"),
    "a program in double quotes": (text) => text.replace(/^(\w+)(?=\s|$)/, '"$1"'),
    "a program as escapes": (text) =>
      text.replace(/^(\w+)(?=\s|$)/, (name) => `$'${escapes(name)}'`),
    "a redirection": (text) => `${text} 2>/dev/null`,
    "a line before": (text) => `ls\n${text}`,
  };

  it.each(Object.keys(rewrites))("never takes a command for less because of %s", (name) => {
    const rewrite = rewrites[name] as (text: string) => string;
    const lowered = commands.filter((text) => {
      // Text with documents or comments of its own cannot be put into a line.
      if (/<<|#/.test(text) || !isWhole(text)) return false;
      // Behind a wrapper an assignment is the name of a program.
      if (/wrapper|env/.test(name) && /^\w+=/.test(text)) return false;
      return heightOf(rewrite(text)) < heightOf(text);
    });
    expect(lowered).toEqual([]);
  });

  it("judges the whole, however harmless commands stand around it", () => {
    const some = fc.constantFrom(...commands.filter((text) => !/<<|#/.test(text) && isWhole(text)));
    const joint = fc.constantFrom(" && ", " || ", " | ", "; ", "\n");
    fc.assert(
      fc.property(
        fc.array(fc.tuple(some, joint), { minLength: 1, maxLength: 5 }),
        some,
        (before, last) => {
          const text = before.map(([command, join]) => `${command}${join}`).join("") + last;
          const highest = Math.max(heightOf(last), ...before.map(([command]) => heightOf(command)));
          expect(heightOf(text)).toBeGreaterThanOrEqual(highest);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("is red for what it cannot read, and never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        expect(order).toContain(classifyCommand(text).tier);
      }),
      { numRuns: 500 },
    );
    for (const text of ["", " ", "(".repeat(5_000), `ls ${"x".repeat(30_000)}`, "ls $(", "ls \0"]) {
      expect(classifyCommand(text).tier).toBe("red");
    }
  });
});

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
const escapes = (name: string): string =>
  Array.from(name, (letter) => `\\x${letter.charCodeAt(0).toString(16)}`).join("");
const isWhole = (text: string): boolean =>
  !classifyCommand(text).reasons.some((reason) => reason.startsWith("Not well-formed"));
