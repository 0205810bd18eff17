import { type ProgramCall, type Reading, readShell } from "@countersign/shared";
import { judgeAssignment, judgeCall } from "./judge.js";
import { type CommandTier, green, red, say, type Verdict, worst, yellow } from "./verdict.js";
import { type Place, readPath, renamesPlain, writePath } from "./words.js";

/** What the command classifier makes of a command. */
export interface CommandVerdict {
  tier: CommandTier;
  reasons: readonly string[];
  /** One program and its words, with nothing around it: what a policy may let run by its beginning. */
  plain: boolean;
}

/** Shells within shells are read this deep. */
const maxDepth = 4;
const maxLength = 20_000;

/**
 * Judges what a shell is given, by the lists in this folder and nothing else: the same text is always the same. All
 * that it would run is read, in wrappers, pipes, substitutions and inner shells too; the worst of it counts, and what
 * cannot be read is red.
 */
export function classifyCommand(text: string, place: Place = {}): CommandVerdict {
  const { tier, reasons } = worst([judgeScript(text, place, 0), judgeEnvironment(place)]);
  return { tier, reasons, plain: /^[\w./@:=+, -]+$/.test(text) };
}

/** A program that is run without a shell. */
export function classifyArgv(argv: readonly string[], place: Place = {}): CommandVerdict {
  if (argv.length === 0 || argv.some((word) => word.includes("\0"))) {
    return { ...red("no program"), plain: false };
  }
  const words = argv.map((value) => ({ text: value, value }));
  const calls = [{ words, isFed: place.isFed === true, isInner: false }];
  const judged = [
    judgeCalls(calls, place, 0),
    readsFedNames(calls, place),
    judgeEnvironment(place),
  ];
  return { ...worst(judged), plain: true };
}

/** What stands in front of a command, and what it is given as its environment, is one and the same. */
const judgeEnvironment = ({ env = {} }: Place): Verdict =>
  worst(Object.entries(env).map(([name, value]) => judgeAssignment(`${name}=${value}`)));

/** A value that a shell reads as a prompt, and an index that is a command: text that runs where it is only used. */
const readAgain = /\$\{[^}]*@[A-Za-z]\}|\w\[[^\]]*(\$\(|`)/;

function judgeScript(text: string, place: Place, depth: number): Verdict {
  if (depth > maxDepth) return red("commands within commands, too deep to read");
  if (text.trim() === "" || text.length > maxLength) return red("nothing, or too much, to read");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\0-\x08\x0b-\x1f\x7f]/.test(text)) return red("control characters");
  if (readAgain.test(text)) return red("text that a shell reads again, as a command");
  let reading: Reading;
  try {
    reading = readShell(text);
  } catch {
    return red("cannot be read");
  }
  const { calls, redirections, inputs, assignments, said } = reading;
  const isRenamed = place.isRenamed || renamesPlain(text);
  return worst([
    judgeCalls(
      calls.filter(({ isInner }) => !isInner),
      { ...place, isRenamed },
      depth,
    ),
    ...redirections.map(({ text: to, path }) =>
      path === undefined
        ? red(`writes to what is decided only then: ${say(to)}`)
        : writePath(path, place),
    ),
    ...inputs.map(({ text: from, path }) =>
      path === undefined
        ? red(`reads what is decided only then: ${say(from)}`)
        : readPath(path, place),
    ),
    ...assignments.map(judgeAssignment),
    ...said.map(judgeRemark),
    readsFedNames(calls, place),
    runsFetched(calls),
  ]);
}

function judgeCalls(calls: readonly ProgramCall[], place: Place, depth: number): Verdict {
  const script = (text: string) => judgeScript(text, place, depth + 1);
  return worst(calls.map((call) => judgeCall(call, { ...place, script })));
}

/** What the reader says of a command as a whole; what it says of programs is judged by the lists. */
function judgeRemark(remark: string): Verdict {
  if (/^(Not well-formed|Commands within|Gives the name|\d+ characters, too many)/.test(remark)) {
    return red(remark.split(":")[0] ?? remark);
  }
  if (/^(Goes on in the background|⟪)/.test(remark))
    return yellow("runs in the background, or is written oddly");
  return green;
}

const baseName = (word: string | undefined): string =>
  (word ?? "").slice((word ?? "").lastIndexOf("/") + 1).toLowerCase();

/** Names that come from anywhere but a look at the files are names that nobody looked at. */
function readsFedNames(calls: readonly ProgramCall[], { isFed }: Place): Verdict {
  const isXargs = ({ words }: ProgramCall) =>
    words.some(({ value }) => baseName(value) === "xargs");
  const looks = /^(xargs|find|fd|ls|git|rg|grep|sort|uniq|head|tail|wc|cd)$/;
  const others = calls.filter(({ words }) => !looks.test(baseName(words[0]?.value)));
  return calls.some(isXargs) && (others.length > 0 || isFed)
    ? red("reads names that it puts together itself")
    : green;
}

/** Fetched and run in one command: nobody saw what it is. */
function runsFetched(calls: readonly ProgramCall[]): Verdict {
  const fetches = calls.some(({ words }) =>
    words.some(({ value }) => /^(curl|wget|aria2c|fetch)$/.test(baseName(value))),
  );
  const runs = calls.some(({ words }) => {
    const value = words[0]?.value ?? "";
    return (
      /^(\w*sh|python[\d.]*|node|perl|ruby|php|deno|bun|make)$/.test(baseName(value)) ||
      /^\.?\/\w/.test(value)
    );
  });
  return fetches && runs ? red("runs what it fetches") : green;
}
