import { green, red, say, unknown, type Verdict, worst, yellow } from "./verdict.js";
import { namePath, type Place, piecesOf, readPath, writePath } from "./words.js";

/** Programs that have a language, or options, of their own. */
type Judge = (words: readonly string[], place: Place) => Verdict;

const judges: Record<string, Judge> = {
  sed,
  ...same("awk gawk mawk", awk),
  ...same("curl", curl),
  ...same("wget", wget),
  tar,
  ...same("python python2 python3 pypy pypy3", (words) =>
    interpreter(words, /^(-V|-VV|--version)$/, python),
  ),
  ...same("node nodejs", (words) =>
    interpreter(words, /^(-v|-V|--version)$/, (rest) =>
      rest[0] === "--test" ? rest.slice(1) : rest,
    ),
  ),
  ...same("tsx ts-node ruby perl php lua Rscript java swift", (words) =>
    interpreter(words, /^(-v|-V|--version|-version)$/, (rest) => rest),
  ),
  ...same("ping dig nslookup host", (words) =>
    words.every((word) => /^-?[\w.:+-]+$/.test(word)) && !words.includes("-f")
      ? yellow("asks the network")
      : red("asks the network for what cannot be told"),
  ),
  ln: () => red("makes another way to a file"),
  lsof: () => yellow("shows what other programs do"),
  ...same("ss netstat", (words) =>
    words.some((word) => !/^(-[046aeiHlmnoprstuwx]+|--[a-z]+)$/.test(word))
      ? unknown("not known to only look")
      : green,
  ),
};

function same(names: string, judge: Judge): Record<string, Judge> {
  return Object.fromEntries(names.split(" ").map((name) => [name, judge]));
}

export const judgeOf = (name: string): Judge | undefined =>
  Object.hasOwn(judges, name) ? judges[name] : undefined;

const isOption = (word: string): boolean => word.startsWith("-") && word !== "-";
const reading = (paths: readonly string[], place: Place): Verdict =>
  worst(paths.flatMap((path) => piecesOf(path).map((piece) => readPath(piece, place))));

/** Its scripts can run commands (`e`) and write files (`w`): only the plain ones are let through. */
function sed(words: readonly string[], place: Place): Verdict {
  const inPlace = words.some((word) => /^(-[a-zA-Z]*i|--in-place)/.test(word));
  const quiet = words.filter(
    (word) => !/^(-n|-E|-r|-u|-z|-s|--quiet|--silent|-i|--in-place)$/.test(word),
  );
  const scripts: string[] = [];
  const paths: string[] = [];
  for (let at = 0; at < quiet.length; at++) {
    const word = quiet[at] as string;
    if (word === "-e") scripts.push(quiet[++at] ?? "w");
    else if (isOption(word)) return red(`sed with ${say(word)}`);
    else if (scripts.length === 0) scripts.push(word);
    else paths.push(word);
  }
  const bad = scripts.find(
    (script) => !script.split(/;|\n/).every((part) => isPlainSed(part.trim())),
  );
  if (bad !== undefined) return red(`a sed script that may run or write: ${say(bad)}`);
  return inPlace ? worst(paths.map((path) => writePath(path, place))) : reading(paths, place);
}

function isPlainSed(script: string): boolean {
  const address = String.raw`(\d+|\$|\/[^/\\]*\/)?(,(\d+|\$|\+\d+|\/[^/\\]*\/))?!?`;
  return (
    script === "" ||
    new RegExp(`^${address}[pdq=]$`).test(script) ||
    new RegExp(
      `^${address}s([/|#,@])(?:(?!\\4)[^\\\\]|\\\\.)*\\4(?:(?!\\4)[^\\\\]|\\\\.)*\\4[gip0-9]*$`,
    ).test(script)
  );
}

function awk(words: readonly string[], place: Place): Verdict {
  const rest = [...words];
  while (/^-(F|v)/.test(rest[0] ?? "")) rest.splice(0, rest[0]?.length === 2 ? 2 : 1);
  const [script = "", ...paths] = rest;
  if (isOption(script)) return red(`awk with ${say(script)}`);
  // Comparisons are the reading of `>` that is wanted; everything that opens something is not.
  const opens =
    /system|getline|close|fflush|ENVIRON|ARGV|SYMTAB|FUNCTAB|PROCINFO|@|\||print[^;}]*>|&\s*$/.test(
      script,
    );
  if (opens) return red(`an awk program that may run or write: ${say(script)}`);
  return reading(paths, place);
}

/** Fetching says something to whoever is asked; sending is another thing. */
function curl(words: readonly string[], place: Place): Verdict {
  const plain =
    /^(-[sSLIfikv46N#]+|--(silent|show-error|location|head|fail|include|compressed|verbose|no-progress-meter|http2|tlsv1\.[23]))$/;
  return fetching("curl", words, place, plain, {
    "-o": true,
    "-m": false,
    "--max-time": false,
    "--retry": false,
  });
}

function wget(words: readonly string[], place: Place): Verdict {
  const plain = /^(-q|-nv|-S|--quiet|--spider|--no-verbose|-qO-|-O-|-q0-)$/;
  return fetching("wget", words, place, plain, { "-O": true, "-T": false, "-t": false });
}

function fetching(
  name: string,
  words: readonly string[],
  place: Place,
  plain: RegExp,
  values: Record<string, boolean>,
): Verdict {
  const verdicts: Verdict[] = [];
  let urls = 0;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (Object.hasOwn(values, word)) {
      const value = words[++at] ?? "";
      if (values[word] && value !== "-") verdicts.push(writePath(value, place));
    } else if (!plain.test(word)) {
      if (isOption(word) || !isPlainUrl(word)) return red(`${name} with ${say(word)}`);
      urls += 1;
    }
  }
  return urls === 0
    ? red(`${name} from where cannot be told`)
    : worst([yellow(`${name} fetches from the network`), ...verdicts]);
}

/** Nothing in it could carry much out: no user, and no long query. */
function isPlainUrl(word: string): boolean {
  const given = /^https?:\/\//.test(word) ? word : `https://${word}`;
  if (!URL.canParse(given)) return false;
  const { username, password, search, hostname } = new URL(given);
  const metadata = /^(169\.254\.|metadata\.|\[?fd00:ec2)/.test(hostname);
  return (
    !username && !password && search.length <= 120 && !metadata && /[.]|localhost/.test(hostname)
  );
}

function tar(words: readonly string[], place: Place): Verdict {
  const [mode = "", ...rest] = words;
  const options = rest.filter(isOption).filter((word) => !/^(-C|-f|-z|-v|-j|-J)$/.test(word));
  if (!/^-?[ctxvzjJfap]+$/.test(mode) || options.length > 0)
    return red(`tar with ${say(options[0] ?? mode)}`);
  const paths = rest.filter((word) => !isOption(word));
  const remote = paths.find((path) => /^[^/]*:/.test(path));
  if (remote !== undefined) return red(`tar asks another machine: ${say(remote)}`);
  if (mode.includes("t")) return worst(paths.map((path) => namePath(path, place)));
  const written = mode.includes("x") ? paths : paths.slice(0, 1);
  return worst([
    yellow("packs or unpacks files"),
    ...written.map((path) => writePath(path, place)),
    reading(paths, place),
  ]);
}

/** Programs in a file of the project are the project's; text on the command line is anybody's. */
function interpreter(
  words: readonly string[],
  version: RegExp,
  strip: (words: readonly string[]) => readonly string[],
): Verdict {
  if (words.length === 1 && version.test(words[0] ?? "")) return green;
  const [file = ""] = strip(words);
  if (file === "" || isOption(file)) return red("runs a program that is not in a file");
  if (/^(\/|~)|(^|\/)\.\.(\/|$)|:\/\//.test(file))
    return red(`runs a program from elsewhere: ${say(file)}`);
  return yellow(`runs the program in ${say(file)}`);
}

/** `-m` of what tests and formats; every other module is as good as unknown code. */
function python(words: readonly string[]): readonly string[] {
  const known = /^(pytest|unittest|mypy|ruff|black|flake8|doctest|compileall|json\.tool)$/;
  return words[0] === "-m" && known.test(words[1] ?? "") ? words.slice(1) : words;
}

/** Of `find`: what it does with what it finds. @returns the words of a program that it runs, or a verdict */
export function readFind(
  words: readonly string[],
  place: Place,
): { verdict: Verdict; runs: { from: number; to: number }[] } {
  const harmless =
    /^-(name|iname|path|ipath|wholename|regex|iregex|type|size|mtime|mmin|ctime|cmin|atime|amin|newer\w*|maxdepth|mindepth|empty|not|and|or|a|o|print0?|prune|perm|user|group|links|ls|follow|xdev|mount|depth|true|false|quit|H|L|P|readable|writable|executable|regextype|inum|samefile|printf|daystart)$/;
  const runs: { from: number; to: number }[] = [];
  const verdicts: Verdict[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (/^-(exec|execdir|ok|okdir)$/.test(word)) {
      const length = words.slice(at + 1).findIndex((other) => other === ";" || other === "+");
      if (length < 1) return { verdict: red("find runs what cannot be told"), runs };
      runs.push({ from: at + 1, to: at + 1 + length });
      at += length + 1;
    } else if (isOption(word) && !harmless.test(word)) verdicts.push(red(`find with ${say(word)}`));
    else if (!isOption(word)) verdicts.push(namePath(word, place));
  }
  return { verdict: worst(verdicts), runs };
}

export const unknownProgram = (name: string): Verdict =>
  unknown(`a program that is not known: ${say(name)}`);
