import { type ProgramCall, programName, type Word } from "@countersign/shared";
import { isHarmlessOption, takesNext } from "./options.js";
import { type Rule, ruleOf } from "./programs.js";
import { judgeOf, readFind, unknownProgram } from "./special.js";
import { hasSubcommands, judgeSubcommand } from "./subcommands.js";
import { green, red, say, unknown, type Verdict, worst, yellow } from "./verdict.js";
import {
  isSecretName,
  namePath,
  type Place,
  piecesOf,
  readPath,
  readWord,
  writePath,
} from "./words.js";
import { isWrapper, unwrap } from "./wrappers.js";

export interface JudgePlace extends Place {
  /** Reads a text that a shell within the command is given. */
  script: (text: string) => Verdict;
}

const shells = /^(sh|bash|dash|zsh|ksh|ash)$/;

/** What one program with its words would do. @param isFed what flows in is not written in the command */
export function judgeCall({ words, isFed }: ProgramCall, place: JudgePlace): Verdict {
  const [first, ...rest] = words;
  if (!first) return green;
  const { value } = first;
  if (value === undefined) return red("which program runs is decided only then");
  const given = nameOf(value);
  if (given === undefined) return elsewhere(value);
  // Where files are named without regard to case, RM is rm; elsewhere it is nobody knows what.
  const name = given.toLowerCase();
  if (name !== given) {
    const lower = { text: first.text, value: name };
    const judged = judgeCall({ words: [lower, ...rest], isFed, isInner: true }, place);
    return worst([judged, unknownProgram(given)]);
  }
  if (name === "command" && /^-[vV]$/.test(rest[0]?.value ?? "")) return green;
  if (isWrapper(name)) return judgeWrapped(name, rest, isFed, place);
  if (shells.test(name)) return judgeShell(name, rest, isFed, place);
  const rule = ruleOf(name);
  if (rule?.kind === "never") return red(`${name} ${rule.why ?? "is never unasked"}`);
  if (name === "printf" && rest[0]?.value !== undefined && /^-v/.test(rest[0].value)) {
    return red("printf sets a name");
  }
  if (name === "echo" || name === "printf") return judgePrint(rest);
  const read = rest.map((word) => readWord(word, place));
  if (read.includes(undefined)) {
    const at = read.indexOf(undefined);
    return red(`filled in only when it runs: ${say(rest[at]?.text ?? "")}`);
  }
  const plain = read as string[];
  if (name === "find") return judgeFind(rest, plain, place);
  if (hasSubcommands(name))
    return worst([judgeSubcommand(name, plain, place), secretsIn(plain.slice(1), place)]);
  const special = judgeOf(name);
  if (special) return worst([special(plain, place), secretsIn(plain, place)]);
  return rule
    ? byRule(name, rule, plain, place)
    : worst([unknownProgram(name), secretsIn(plain, place)]);
}

/** The name of a program that the system brings; undefined for one that is named by a path elsewhere. */
function nameOf(value: string): string | undefined {
  if (!value.includes("/")) return programName(value);
  return /^(\/usr)?(\/local)?\/s?bin\/[^/]+$/.test(value) ? programName(value) : undefined;
}

const elsewhere = (value: string): Verdict => {
  if (value.includes("..") || /^[/~]/.test(value)) {
    return red(`a program that the system does not bring: ${say(value)}`);
  }
  const known =
    /^\.\/(node_modules\/\.bin\/[\w.-]+|gradlew|mvnw|manage\.py|configure)$|^(\.\/)?(scripts|bin|tools)\/[\w./-]+$/;
  return known.test(value) ? yellow(`runs the project's own ${say(value)}`) : unknownProgram(value);
};

function judgeWrapped(
  name: string,
  rest: readonly Word[],
  isFed: boolean,
  place: JudgePlace,
): Verdict {
  const assigned: string[] = [];
  const inner = unwrap(name, rest, (text) => assigned.push(text));
  if (inner.kind === "unreadable") return red(`${name} with words that are not known`);
  if (inner.kind === "nothing")
    return name === "env" ? red("env shows passwords that are in it") : green;
  const judged = judgeCall({ words: inner.words, isFed, isInner: true }, place);
  const added = inner.addsWords ? addedWords(inner.words) : green;
  return worst([judged, added, ...assigned.map(judgeAssignment)]);
}

/** Words that come only when it runs: whatever only looks may then look anywhere. */
function addedWords([first, ...rest]: readonly Word[]): Verdict {
  const name = programName(first?.value ?? "");
  const rule = ruleOf(name);
  const isReading = rule?.kind === "names" || rule?.kind === "print" || rule?.kind === "look";
  if (!isReading || rule.never || rest.some(({ value }) => value === undefined)) {
    return red(`${name} gets words that come only when it runs`);
  }
  return yellow(`${name} gets names that come only when it runs`);
}

function judgeShell(
  name: string,
  rest: readonly Word[],
  isFed: boolean,
  place: JudgePlace,
): Verdict {
  const [option, code] = rest;
  if (rest.length === 1 && option?.value === "--version") return green;
  if (option?.value !== undefined && /^-(l|e|u|x|eu|eux|lc|ec|euc|euxc|c)$/.test(option.value)) {
    if (!option.value.endsWith("c")) return judgeShell(name, rest.slice(1), isFed, place);
    if (code?.value === undefined) return red(`${name} runs text that is put together only then`);
    return place.script(code.value);
  }
  const file = option?.value;
  if (file === undefined || isFed || !/^(\.\/)?\w[\w./-]*$/.test(file) || file.includes("..")) {
    return red(`${name} runs what cannot be told`);
  }
  return yellow(`${name} runs the script in ${say(file)}`);
}

/** Text that is printed leads nowhere; the values of variables might be passwords. */
function judgePrint(rest: readonly Word[]): Verdict {
  const names = rest.flatMap(({ text, value }) =>
    value === undefined ? [...text.matchAll(/\$\{?[!#]?(\w+)/g)].map(([, name = ""]) => name) : [],
  );
  const secret = rest.some(({ text }) => text.includes("${!"))
    ? "what another variable names"
    : names.find(isSecretName);
  return secret === undefined ? green : red(`prints ${say(secret)}`);
}

function judgeFind(words: readonly Word[], plain: readonly string[], place: JudgePlace): Verdict {
  const { verdict, runs } = readFind(plain, place);
  const inner = runs.map(({ from, to }) => {
    const own = words.slice(from, to);
    const without = own.filter(({ text }) => text !== "{}");
    return worst([
      judgeCall({ words: without, isFed: false, isInner: true }, place),
      addedWords(without),
    ]);
  });
  return worst([verdict, ...inner]);
}

function byRule(name: string, rule: Rule, words: readonly string[], place: Place): Verdict {
  const bad = rule.never && words.find((word) => rule.never?.test(word));
  if (bad !== undefined) return red(`${name} with ${say(bad)}`);
  const { letters } = rule;
  const isValue = (at: number) => {
    const before = words[at - 1] ?? "";
    return rule.values?.test(before) || takesNext(before, letters ?? "");
  };
  const operands = words.filter((word, at) => !word.startsWith("-") && !isValue(at));
  const options = words.filter((word, at) => word.startsWith("-") && !isValue(at));
  const other =
    letters === undefined ? undefined : options.find((o) => !isHarmlessOption(o, letters));
  if (other !== undefined) return unknown(`${name} with ${say(other)}`);
  switch (rule.kind) {
    case "print":
      if (rule.needsWords && operands.length === 0) return red(`${name} shows what is set`);
      return rule.needsWords ? worst(operands.map(judgeSetting)) : green;
    case "names":
      return worst([
        ...operands.map((path) => namePath(path, place)),
        ...(name === "cd" || name === "pushd" ? goals(operands).map((p) => moves(p, place)) : []),
      ]);
    case "run": {
      const away = words.find((word) => /^[/~]|(^|[/=])\.\.(\/|$)|=[/~]/.test(word));
      if (away !== undefined) return red(`${name} with ${say(away)}`);
      return worst([yellow(`${name} runs what the project says`), secretsIn(words, place)]);
    }
    case "change":
      return worst([
        yellow(`${name} changes files`),
        ...operands.map((path) => writePath(path, place)),
        secretsIn(options, place),
      ]);
    default: {
      // A pattern given by an option is no operand.
      const given = options.some((word) => /^(-e|-f|--regexp|--file)/.test(word));
      const paths = operands.slice(given ? 0 : (rule.skip ?? 0));
      const written = rule.reads === undefined ? [] : paths.slice(rule.reads);
      return worst([
        ...paths.map((path) => readPath(path, place)),
        ...written.map((path) => writePath(path, place)),
        secretsIn(options, place),
      ]);
    }
  }
}

/** What comes after it is elsewhere: names that look harmless may then be anything. */
const moves = (path: string, place: Place): Verdict =>
  readPath(path, place).tier === "green" && !/(^|\/)\.git(\/|$)/i.test(path)
    ? green
    : yellow(`goes on in ${say(path)}`);

/** Without one, and with `-`, it goes where somebody was or lives. */
const goals = (operands: readonly string[]): readonly string[] =>
  operands.length === 0 ? ["~"] : operands;

const secretsIn = (words: readonly string[], place: Place): Verdict =>
  worst(words.flatMap(piecesOf).map((piece) => namePath(piece, place)));

const judgeSetting = (word: string): Verdict =>
  word.includes("=") ? judgeAssignment(word) : green;

/** What zsh ties to PATH and its like. */
const zshNames = /^(path|fpath|cdpath|module_path|prompt|psvar|argv|manpath|signals)$/;

/** Variables that change what programs run are code by another name. */
export function judgeAssignment(text: string): Verdict {
  const [, name = "", value = ""] = /^(\w+)\+?=(.*)$/s.exec(text) ?? [];
  const harmless =
    /^(NODE_ENV|CI|LANG|LANGUAGE|LC_\w+|TZ|NO_COLOR|FORCE_COLOR|TERM|COLUMNS|LINES|DEBUG|RUST_LOG|RUST_BACKTRACE|GOOS|GOARCH|CGO_ENABLED|PYTHONUNBUFFERED|PORT|HOST|LOG_LEVEL|VERBOSE|[a-z]\w*)$/;
  if (!harmless.test(name)) return red(`sets ${say(name)}, which may change what runs`);
  if (zshNames.test(name)) return red(`sets ${say(name)}, which may change what runs`);
  return /[`$]/.test(value) ? yellow(`sets ${say(name)} to what comes only when it runs`) : green;
}
