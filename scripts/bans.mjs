// Words that must not appear in the product's source, each for a reason that cost somebody a day. Biome has no rule for them.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./bootstrap.mjs";

const bans = [
  [
    /\badvancedFIDOConfig\b/,
    "it switches off SimpleWebAuthn's user presence and verification checks",
  ],
  [
    /\bdb\.transaction\b|\bquery\(\s*["'`](?:begin|start transaction)\b/i,
    "a state change is one data-modifying statement",
  ],
  [
    /\b(?:inner|outer)HTML\b|\binsertAdjacentHTML\b|\bdangerouslySetInnerHTML\b/,
    "hostile text goes into text nodes only",
  ],
  [/\beval\(|\bnew Function\(/, "no code is made from strings"],
];

// Tracked and new files alike; what .gitignore names is left out.
const files = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "apps", "packages", "examples"],
  {
    cwd: root,
    encoding: "utf8",
  },
)
  .split("\n")
  .filter(
    (file) =>
      /\.(?:tsx?|m?js)$/.test(file) &&
      !/\.(?:test|torture)\./.test(file) &&
      existsSync(join(root, file)),
  );

let found = 0;
for (const file of files) {
  for (const [index, line] of readFileSync(join(root, file), "utf8").split("\n").entries()) {
    for (const [pattern, reason] of bans) {
      if (pattern.test(line) && !/^\s*(?:\/\/|\*|\/\*)/.test(line)) {
        console.error(`${file}:${index + 1}: ${line.trim()}\n  banned: ${reason}`);
        found += 1;
      }
    }
  }
}
process.exitCode = found === 0 ? 0 : 1;
