import { describe, expect, test } from "vitest";
import { readShell } from "./command.js";
import { programName } from "./programs.js";

const said = (command: string): string[] => readShell(command).said;
const programsOf = (command: string): string[] => readShell(command).programs;

const holds = (name: string, file: string): string =>
  `⟪${name}⟫ runs what a file holds, which is not shown here: ⟪${file}⟫`;
const flows = (name: string): string =>
  `⟪${name}⟫ runs whatever text flows into it as a program: what it does cannot be told`;
const code = (name: string, text: string): string =>
  `Code for ⟪${name}⟫, shown but not read: ⟪${text}⟫`;
const later = (name: string, text: string): string =>
  `⟪${name}⟫ runs text that is put together only then: ⟪${text}⟫`;

describe("what a shell is given to run is read, however it is given", () => {
  test.each([
    "-c 'rm a'",
    "'-c' 'rm a'",
    "-xc 'rm a'",
    "-cx 'rm a'",
    "-c -x 'rm a'",
    "-c +x 'rm a'",
    "-c -- 'rm a'",
    "-c - 'rm a'",
    "-x -c 'rm a'",
    "+x -c 'rm a'",
    "--norc -c 'rm a'",
    "-o errexit -c 'rm a'",
    "+o errexit -c 'rm a'",
    "-O extglob -c 'rm a'",
    "-euo pipefail -c 'rm a'",
    "-ceo pipefail 'rm a'",
    "-oc errexit 'rm a'",
    "-c 'rm a' b -c 'ls'",
  ])("bash %s", (words) => {
    expect(programsOf(`bash ${words}`)).toEqual(["bash", "rm"]);
    expect(said(`bash ${words}`)).toEqual([]);
  });

  test.each(["sh", "bash", "dash", "zsh", "ksh", "ash", "/bin/sh", "bash.exe", "BASH.EXE"])(
    "by %s",
    (shell) => {
      const name = shell === "BASH.EXE" ? [] : ["rm"];
      expect(programsOf(`${shell} -c 'rm a'`)).toEqual([shell, ...name]);
    },
  );
});

describe("that a program runs a file, what flows into it or code of its own is said", () => {
  test.each<[command: string, said: string[]]>([
    // A file, and only that where it comes first.
    ["bash a.sh", [holds("bash", "a.sh")]],
    ["bash a.sh -s", [holds("bash", "a.sh")]],
    ["bash -x a.sh", [holds("bash", "a.sh")]],
    ["bash +x a.sh", [holds("bash", "a.sh")]],
    ["bash -o errexit a.sh", [holds("bash", "a.sh")]],
    ["bash -eo pipefail a.sh", [holds("bash", "a.sh")]],
    ["bash -o1 a.sh", [holds("bash", "a.sh")]],
    ["bash -s1 a.sh", [holds("bash", "a.sh")]],
    ["bash --posix a.sh", [holds("bash", "a.sh")]],
    ["bash --noprofile a.sh", [holds("bash", "a.sh")]],
    ["bash -- -a.sh", [holds("bash", "-a.sh")]],
    ["bash - a.sh", [holds("bash", "a.sh")]],
    ["bash 'a b'", [holds("bash", "'a b'")]],
    ["cat x | bash a.sh", [holds("bash", "a.sh")]],
    ["bash a.sh -c ls", [holds("bash", "a.sh")]],
    ["python3 a.py -c x", [holds("python3", "a.py"), code("python3", "x")]],
    ["python3 -s a.py", [holds("python3", "a.py")]],
    ["python3 +a.py", [holds("python3", "+a.py")]],
    ["python3 -W ignore a.py", [holds("python3", "a.py")]],
    ["python3 -X dev a.py -cx", [holds("python3", "a.py")]],
    ["perl -s a.pl", [holds("perl", "a.pl")]],
    ["perl -W a.pl", [holds("perl", "a.pl")]],
    ["lua -E a.lua", [holds("lua", "a.lua")]],
    ["node a.js -e", [holds("node", "a.js")]],
    ["node -r ./a.js -e x", [holds("node", "./a.js"), code("node", "x")]],
    ["php a.php", [holds("php", "a.php")]],
    ["pwsh a.ps1", [holds("pwsh", "a.ps1")]],
    // What flows in.
    ["cat x | bash", [flows("bash")]],
    ["cat x | bash -x", [flows("bash")]],
    ["cat x | bash -", [flows("bash")]],
    ["cat x | bash -s a", [flows("bash")]],
    ["cat x | bash -es a", [flows("bash")]],
    ["cat x | bash -se a", [flows("bash")]],
    ["cat x | bash -c", [flows("bash")]],
    ["cat x | python3 - a", [flows("python3")]],
    ["cat x | python3 -u", [flows("python3")]],
    ["cat x | node", [flows("node")]],
    ["cat x | bash -c ls", []],
    ["bash", []],
    ["bash -s a", []],
    ["python3 - a", []],
    ["python3 --version", []],
    // Code, beside its option or in one word with it.
    ["python3 -c x", [code("python3", "x")]],
    ["python3 -Bc x", [code("python3", "x")]],
    ["python3 -c -x", [code("python3", "-x")]],
    ["python3 -cx", [code("python3", "x")]],
    ["python3 -Ic'x\ny'", [code("python3", "x⏎\ny")]],
    ["python3 -cx a", [code("python3", "x")]],
    ["python3 -cx -c y", [code("python3", "x")]],
    ["python3 -W ignore -cx", [code("python3", "x")]],
    ["python2 -c x", [code("python2", "x")]],
    ["python -c x", [code("python", "x")]],
    ["pypy -c x", [code("pypy", "x")]],
    ["python3 --check-hash-based-pycs a.py", [holds("python3", "a.py")]],
    ["perl --exec a", [holds("perl", "a")]],
    ["ruby --enable=gems a", [holds("ruby", "a")]],
    ["php --rf a", [holds("php", "a")]],
    ["pypy3 -c x", [code("pypy3", "x")]],
    ["perl5.36.0 -e x", [code("perl5", "x")]],
    ["lua5.4 a", [holds("lua5", "a")]],
    ["php8.2 -r x", [code("php8", "x")]],
    ["a5 -c x", []],
    ["b5ash -c x", []],
    ["fish10 -c x", [code("fish10", "x")]],
    ["python3 -Wonce a.py", [holds("python3", "a.py")]],
    ["cat x | python3 -c x", [code("python3", "x")]],
    ["perl -e x", [code("perl", "x")]],
    ["perl -E x", [code("perl", "x")]],
    ["perl -ne x a", [code("perl", "x")]],
    ["perl -pi.bak -e x a", [code("perl", "x")]],
    ["perl -lane'x' a", [code("perl", "x")]],
    ["perl -0777ne'x\ny' a", [code("perl", "x⏎\ny")]],
    ["perl -Ex a", [code("perl", "x")]],
    ["perl -Mstrict a", [holds("perl", "a")]],
    ["ruby -ne x", [code("ruby", "x")]],
    ["ruby -ne'x\ny' a", [code("ruby", "x⏎\ny")]],
    ["ruby -rset a", [holds("ruby", "a")]],
    ["lua -ex", [code("lua", "x")]],
    ["osascript -e x", [code("osascript", "x")]],
    ["Rscript -e x", [code("Rscript", "x")]],
    ["elixir -e x", [code("elixir", "x")]],
    ["node -e x", [code("node", "x")]],
    ["node -p x", [code("node", "x")]],
    ["node -pe x", [code("node", "x")]],
    ["node --eval x", [code("node", "x")]],
    ["node --print x", [code("node", "x")]],
    ["node --eval=x", [code("node", "x")]],
    ["node '--print=x\ny' a", [code("node", "x⏎\ny")]],
    ["node -x--eval=x a", [holds("node", "a")]],
    ["node --evaluate x", [holds("node", "x")]],
    ["node x-e y", [holds("node", "x-e")]],
    ["bun -e x", [code("bun", "x")]],
    ["nodejs -e x", [code("nodejs", "x")]],
    ["deno eval x", [code("deno", "x")]],
    ["php -r x", [code("php", "x")]],
    ["php -rx", [code("php", "x")]],
    ["php -ar x", [code("php", "x")]],
    ["php '-rx\ny' a", [code("php", "x⏎\ny")]],
    ["php x-rx", [holds("php", "x-rx")]],
    ["pwsh -c x", [code("pwsh", "x")]],
    ["pwsh /c x", [code("pwsh", "x")]],
    ["powershell -EncodedCommand x", [code("powershell", "x")]],
    ["pwsh -enc x", [code("pwsh", "x")]],
    ["pwsh -commander x", [holds("pwsh", "x")]],
    ["pwsh x-c y", [holds("pwsh", "x-c")]],
    ["fish -c x", [code("fish", "x")]],
    ["bash x-c y", [holds("bash", "x-c")]],
    ["bash -c2 y", [holds("bash", "y")]],
    ["python3 x-c y", [holds("python3", "x-c")]],
    ["python3 x-cy", [holds("python3", "x-cy")]],
    ["perl x-e y", [holds("perl", "x-e")]],
    ["perl x-ey", [holds("perl", "x-ey")]],
    ["ruby x-e y", [holds("ruby", "x-e")]],
    ["ruby x-ey", [holds("ruby", "x-ey")]],
    ["php x-r y", [holds("php", "x-r")]],
    ["python3 x-W a", [holds("python3", "x-W")]],
    ["python3 -Wd a", [holds("python3", "a")]],
    // Decided only then.
    ["bash -c $X", [later("bash", "$X")]],
    ["python3 -c $X", [later("python3", "$X")]],
    ['python3 -c"$X"', [later("python3", '-c"$X"')]],
    ["bash $X", [holds("bash", "$X")]],
    // Small programs that read text for a living.
    ["awk -f a", []],
    ["sed -e x", []],
    ["cat x | jq .", []],
  ])("%s", (command, expected) => {
    expect(said(command).filter((one) => !one.startsWith("Filled"))).toEqual(expected);
  });
});

describe("what is put together, read from a file or set up is said in its own words", () => {
  test.each<[command: string, said: string[], programs: string[]]>([
    ["eval rm 'a b'", ["Puts a command together and runs it: ⟪rm 'a b'⟫"], ["eval", "rm"]],
    ["eval rm $X", ["Puts a command together and runs it: ⟪rm $X⟫"], ["eval"]],
    ["eval", ["Puts a command together and runs it: ⟪⟫"], ["eval"]],
    ["source a b", ["Runs what a file holds, which is not shown here: ⟪a b⟫"], ["source"]],
    [". a", ["Runs what a file holds, which is not shown here: ⟪a⟫"], ["."]],
    ["alias a=rm", ["Sets up commands for later: ⟪a=rm⟫"], ["alias"]],
    ["trap 'rm a' EXIT", ["Sets up commands for later: ⟪'rm a' EXIT⟫"], ["trap"]],
    ["$X a", ["Which program runs is decided only when it runs: ⟪$X⟫"], []],
    ["X=1", [], []],
  ])("%s", (command, sentences, programs) => {
    expect(said(command)).toEqual(sentences);
    expect(programsOf(command)).toEqual(programs);
  });
});

test.each([
  ["/usr/bin/python3.12", "python3"],
  ["python", "python"],
  ["python.", "python"],
  ["mypython3.12", "mypython3.12"],
  ["python3.12x", "python3.12x"],
  ["Node.EXE", "Node"],
  ["a.exe.sh", "a.exe.sh"],
  ["a/", ""],
])("a program is called by its own name: %s", (word, name) => {
  expect(programName(word)).toBe(name);
});

describe("a wrapper is looked through for what it runs", () => {
  test.each<[command: string, programs: string[], said: string[]]>([
    ["sudo -u ada rm a", ["sudo", "rm"], []],
    ["sudo rm curl a", ["sudo", "rm", "curl"], []],
    ["sudo rm sh -c 'ls' curl", ["sudo", "rm", "sh", "ls"], []],
    ["sudo $X rm", ["sudo", "rm"], []],
    ["sudo ls", ["sudo"], []],
    ["env A=1 python3 -c x", ["env", "python3"], [code("python3", "x")]],
    ["cat x | sudo bash", ["cat", "sudo", "bash"], [flows("bash")]],
    [
      "command eval rm a",
      ["command", "eval", "rm"],
      ["Puts a command together and runs it: ⟪rm a⟫"],
    ],
    [
      "builtin source a",
      ["builtin", "source"],
      ["Runs what a file holds, which is not shown here: ⟪a⟫"],
    ],
    ["builtin . a", ["builtin", "."], ["Runs what a file holds, which is not shown here: ⟪a⟫"]],
    ["sudo sed -e x", ["sudo"], []],
    ["xargs -n 1 nohup sh -c 'rm $1'", ["xargs", "sh", "rm"], []],
    ["find . -exec rm {} +", ["find", "rm"], []],
    ["sudo cp a . ; docker build .", ["sudo", "cp", "docker"], []],
    ["command ls .", ["command"], []],
    ["command", ["command"], []],
    ["ls rm", ["ls"], []],
  ])("%s", (command, programs, sentences) => {
    expect(programsOf(command)).toEqual(programs);
    expect(said(command)).toEqual(sentences);
  });
});
