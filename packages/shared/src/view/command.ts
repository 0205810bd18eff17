import {
  type Command,
  forEachChild,
  type ParsedScript,
  parse,
  type Redirect,
  type Word as ShellWord,
  type SyntaxNode,
} from "unbash";
import { aboutAddress, both, type Findings, findings } from "./address.js";
import { suspicions } from "./look-alikes.js";
import { aboutProgram, type Word } from "./program.js";
import { effectOf, programName } from "./programs.js";
import { masked, quote } from "./quote.js";
import type { Row } from "./row.js";
import { masksOf } from "./secrets.js";
import { visible } from "./visible.js";

/** A program that a command runs, as it is named there. */
export interface ProgramCall {
  words: readonly Word[];
  /** Whether anything flows into it: by a pipe, from a file or from text in the command. */
  isFed: boolean;
  /** Whether it is part of a text that another program is given to run. */
  isInner: boolean;
}

/** Where a command writes to by a redirection; `path` is undefined where that is decided only when it runs. */
interface Redirection {
  text: string;
  path: string | undefined;
}

/** What a reading of a command gathers, in the order of the text. */
export interface Reading {
  calls: ProgramCall[];
  redirections: Redirection[];
  /** Variables that it sets, as they are written. */
  assignments: string[];
  /** What it gives to programs from files. */
  inputs: Redirection[];
  steps: string[];
  programs: string[];
  words: string[];
  variables: string[];
  outputs: string[];
  patterns: string[];
  said: string[];
}

const newReading = (): Reading => ({
  calls: [],
  redirections: [],
  assignments: [],
  inputs: [],
  steps: [],
  programs: [],
  words: [],
  variables: [],
  outputs: [],
  patterns: [],
  said: [],
});

/** Shells within shells are read this deep; below it a text is only shown. */
const maxDepth = 4;
/** Engines differ in how deep they can go, the view must not: far below what any of them can. */
const maxLevel = 150;
/** A text longer than this is no command that a person could judge by its parts. */
const maxLength = 20_000;

/** A command as a shell would read it, with all that is run within it. */
export function readShell(text: string): Reading {
  const reading = newReading();
  readScript(text, reading, 0);
  return reading;
}

/** What a shell would do with a text: its steps, where it writes and leads to, and what nobody can tell beforehand. */
export function aboutCommand(path: string, text: string): Findings {
  return conclude(path, readShell(text));
}

/** A program with its arguments, given without a shell in between. */
export function aboutProgramCall(path: string, argv: readonly string[]): Findings {
  const reading = newReading();
  readProgram(
    argv.map((text) => ({ text, value: text })),
    { isFed: false },
    reading,
    0,
  );
  return conclude(path, reading);
}

function readScript(text: string, reading: Reading, depth: number): void {
  if (depth > maxDepth) {
    reading.said.push(`Commands within commands, too deep to read: ${quote(text, "command")}`);
    return;
  }
  if (text.length > maxLength) {
    reading.said.push(`${text.length} characters, too many to read for what is in them`);
    return;
  }
  visit(parse(text), { source: text, isFed: false, depth, level: 0 }, reading);
}

interface Place {
  source: string;
  /** Whether another program's output runs in here. */
  isFed: boolean;
  depth: number;
  level: number;
}

function visit(node: SyntaxNode, at: Place, reading: Reading): void {
  const text = at.source.slice(node.pos, node.end);
  if (at.level > maxLevel) {
    reading.said.push(`Commands within commands, too deep to read: ${quote(text, "command")}`);
    return;
  }
  const place = { ...at, level: at.level + 1 };
  switch (node.type) {
    case "Script":
      if ((node as ParsedScript).errors?.length) {
        reading.said.push("Not well-formed: what a shell makes of it cannot be told");
      }
      if (node.source !== undefined) {
        const inner = { ...place, source: node.source };
        forEachChild(node, (child) => visit(child, inner, reading));
        return;
      }
      break;
    case "Statement":
      if (node.background)
        reading.said.push(`Goes on in the background: ${quote(text, "command")}`);
      break;
    case "Pipeline":
      forEachChild(node, (child) => {
        const isFed = place.isFed || child.pos !== node.commands[0]?.pos;
        visit(child, { ...place, isFed }, reading);
      });
      return;
    case "Command":
      readCommand(node, place, reading);
      break;
    case "Function":
      reading.said.push(
        `Gives the name ${quote(node.name.text)} another meaning than the usual one`,
      );
      break;
    case "Assignment":
      reading.words.push(text);
      reading.assignments.push(text);
      break;
    case "Redirect":
      addRedirection(node, reading);
      break;
    case "SimpleExpansion":
    case "ParameterExpansion":
    case "ArithmeticExpansion":
      reading.variables.push(text);
      break;
    case "CommandExpansion":
    case "ProcessSubstitution":
      reading.outputs.push(text);
      break;
    case "Glob":
    case "ExtendedGlob":
    case "BraceExpansion":
      reading.patterns.push(text);
      break;
    case "AnsiCQuoted":
      reading.said.push(
        `${quote(text, "command")} is another way to write ${quote(node.value, "command")}`,
      );
      break;
  }
  forEachChild(node, (child) => visit(child, place, reading));
}

function addRedirection({ operator, target }: Redirect, reading: Reading): void {
  if (!target) return;
  const to = { text: target.text, path: staticValue(target) };
  if (operator === "<") reading.inputs.push(to);
  // Another stream of the same program, or its end, is no file.
  else if (!/^(\d+|-)$/.test(target.value) || !operator.endsWith("&"))
    reading.redirections.push(to);
}

function readCommand(node: Command, place: Place, reading: Reading): void {
  reading.steps.push(place.source.slice(node.pos, node.end));
  const words = [node.name, ...node.suffix]
    .filter((part) => part?.type === "Word" || part?.type === "Assignment")
    .map((part) => ({
      text: part.text,
      value: part.type === "Word" ? staticValue(part) : part.text,
    }));
  const isFed = place.isFed || node.redirects.some(({ operator }) => operator.startsWith("<"));
  readProgram(words, { isFed }, reading, place.depth);
}

function readProgram(
  words: readonly Word[],
  given: { isFed: boolean },
  reading: Reading,
  depth: number,
): void {
  for (const { value } of words) if (value !== undefined) reading.words.push(value);
  reading.calls.push({ words, isFed: given.isFed, isInner: depth > 0 });
  const { names, said, scripts } = aboutProgram(words, given);
  reading.programs.push(...names);
  reading.said.push(...said);
  for (const script of scripts) readScript(script, reading, depth + 1);
}

/** What the word stands for; undefined where that is decided only when it runs. */
function staticValue(word: ShellWord): string | undefined {
  return isComputed(word) ? undefined : word.value;
}

const computed = [
  "SimpleExpansion",
  "ParameterExpansion",
  "ArithmeticExpansion",
  "CommandExpansion",
  "ProcessSubstitution",
  "Glob",
  "ExtendedGlob",
  "BraceExpansion",
];

function isComputed(node: SyntaxNode): boolean {
  let found = computed.includes(node.type);
  forEachChild(node, (child) => {
    found ||= isComputed(child);
  });
  return found;
}

function conclude(path: string, reading: Reading): Findings {
  const { steps, words, variables, outputs, patterns } = reading;
  const writes = reading.redirections.map(({ text, path: to }) => to ?? text);
  const said = [...reading.said];
  if (outputs.length > 0) {
    said.push(`Filled in with what other commands print when it runs: ${list(outputs)}`);
  }
  if (variables.length > 0) said.push(`Filled in with values when it runs: ${list(variables)}`);
  if (patterns.length > 0) said.push(`Filled in with names when it runs: ${list(patterns)}`);
  for (const run of new Set(words.flatMap(encodedRuns))) {
    said.push(`${run.length} characters that nobody can read: ${quote(run, "text")}`);
  }
  const facts: Row[] = [];
  const effects = [...new Set(reading.programs)].flatMap((name) => {
    const effect = effectOf(programName(name));
    return effect === undefined ? [] : [`${quote(name)} ${effect}`];
  });
  if (effects.length > 0) facts.push([`what is in ${path}`, effects.join("; "), "library", "fact"]);
  for (const target of new Set(writes)) {
    facts.push([`written by ${path}`, visible(target), "library", "path"]);
  }
  if (steps.length > 1) {
    for (const [index, step] of steps.entries()) {
      facts.push([`step ${index + 1} of ${path}`, masked(step, "command"), "library", "command"]);
    }
  }
  return both([
    findings(path, [...new Set(said)], facts),
    ...[...new Set([...words, ...writes])].map((word) => aboutWord(path, word)),
  ]);
}

const list = (texts: readonly string[]): string =>
  [...new Set(texts)].map((text) => quote(text, "command")).join(", ");

function aboutWord(path: string, word: string): Findings {
  const url = /[A-Za-z][A-Za-z0-9+.-]*:\/\/\S*/.exec(word)?.[0];
  if (url !== undefined) return aboutAddress(path, url);
  return findings(path, suspicions(word));
}

/** Base64 and its like: long runs without a word in them. Names and digests in lower case are not meant. */
function encodedRuns(word: string): string[] {
  const secrets = masksOf(word, "text").map(({ start, length }) =>
    word.slice(start, start + length),
  );
  // What is told as a secret is one run, not what is left of it between its dots.
  const rest = secrets.reduce((left, secret) => left.replace(secret, " "), word);
  const runs = [...secrets, ...(rest.match(/[A-Za-z0-9+/_=-]{40,}/g) ?? [])];
  return runs.filter(
    (run) => run.length >= 40 && /[A-Z]/.test(run) && /[a-z]/.test(run) && /[0-9]/.test(run),
  );
}
