// Part of `npm run check`: a document that names the test of a promise names a file that there is.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./bootstrap.mjs";

const documents = ["SECURITY.md", "docs/asvs.md", "docs/protocol.md"];

const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
});
const files = listed.split("\n").filter((file) => file !== "");

/** A file by its whole path or by enough of its end, or a folder; `*` stands for the rest of a name. */
function isThere(named) {
  const pattern = named.replace(/\/$/, "").replace(/[.+]/g, "\\$&").replaceAll("*", "[^/]*");
  const whole = new RegExp(`(^|/)${pattern}(/|$)`);
  return files.some((file) => whole.test(file));
}

let missing = 0;
for (const document of documents) {
  const lines = readFileSync(join(root, document), "utf8").split("\n");
  for (const [index, line] of lines.entries()) {
    const named = [...line.matchAll(/`([^`\s]+)`/g)].map(([, text = ""]) => text);
    const paths = named.filter(
      (text) =>
        /\.test\.tsx?$/.test(text) || /^(?:apps|packages|e2e|examples|scripts|docs)\//.test(text),
    );
    for (const path of paths.filter((each) => !isThere(each))) {
      console.error(`${document}:${index + 1}: there is no ${path}`);
      missing += 1;
    }
  }
}
process.exitCode = missing === 0 ? 0 : 1;
