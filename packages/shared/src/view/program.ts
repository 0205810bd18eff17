import {
  effectOf,
  type Interpreter,
  interpreterOf,
  isWrapper,
  programName,
  shells,
} from "./programs.js";
import { quote } from "./quote.js";

export interface Word {
  text: string;
  /** Undefined where it is decided only when it runs. */
  value: string | undefined;
}

interface About {
  /** The programs that are named, in their own words. */
  names: string[];
  said: string[];
  /** Texts that a shell is given to run. */
  scripts: string[];
}

/**
 * What one program does with its arguments, as far as it runs others or text as a program.
 * @param given whether anything flows in: by a pipe, from a file or from text in the command
 */
export function aboutProgram(words: readonly Word[], given: { isFed: boolean }): About {
  const [first, ...rest] = words;
  if (!first) return { names: [], said: [], scripts: [] };
  if (first.value === undefined) {
    return {
      names: [],
      said: [`Which program runs is decided only when it runs: ${quote(first.text, "command")}`],
      scripts: [],
    };
  }
  const name = programName(first.value);
  const about: About = { names: [first.value], said: [], scripts: [] };
  if (name === "eval") {
    about.said.push(`Puts a command together and runs it: ${quoted(rest)}`);
    const values = rest.map(({ value }) => value);
    if (!values.includes(undefined)) about.scripts.push(values.join(" "));
  } else if (name === "source" || name === ".") {
    about.said.push(`Runs what a file holds, which is not shown here: ${quoted(rest)}`);
  } else if (name === "alias" || name === "trap") {
    about.said.push(`Sets up commands for later: ${quoted(rest)}`);
  } else if (isWrapper(name)) {
    addWrapped(about, name, rest, given);
  } else {
    addInterpreter(about, name, rest, given);
  }
  return about;
}

/** The program that a wrapper runs cannot be told from its options for sure: any word may be it. */
function addWrapped(
  about: About,
  wrapper: string,
  rest: readonly Word[],
  given: { isFed: boolean },
): void {
  const nameOf = ({ value }: Word) => (value === undefined ? "" : programName(value));
  // A full stop is a folder, unless it can be nothing but the shell's own word.
  const isOwn = ["builtin", "command"].includes(wrapper) && rest[0]?.value === ".";
  const at = isOwn ? 0 : rest.findIndex((word) => runsText(nameOf(word)));
  about.names.push(
    ...rest.slice(0, at < 0 ? undefined : at).flatMap((word) => {
      return word.value !== undefined && effectOf(nameOf(word)) ? [word.value] : [];
    }),
  );
  if (at < 0) return;
  const inner = aboutProgram(rest.slice(at), given);
  about.names.push(...inner.names);
  about.said.push(...inner.said);
  about.scripts.push(...inner.scripts);
}

const runsText = (name: string): boolean =>
  ["eval", "source"].includes(name) || interpreterOf(name) !== undefined;

function addInterpreter(
  about: About,
  name: string,
  rest: readonly Word[],
  given: { isFed: boolean },
): void {
  const interpreter = interpreterOf(name);
  if (!interpreter) return;
  const isShell = shells.includes(name);
  const texts = rest.map(({ text, value }) => value ?? text);
  const start = operandFrom(0, texts, interpreter, isShell);
  const flag = texts.findIndex((text) => interpreter.code.test(text));
  const isGiven = flag >= 0 && flag <= start;
  const joined = joinedCode(rest.slice(0, isGiven ? flag : start), interpreter);
  const codeAt = isShell && flag >= 0 ? operandFrom(flag, texts, interpreter, isShell) : flag + 1;
  const code = joined ?? (flag < 0 ? undefined : rest[codeAt]);
  // A file before any code is what runs: the code is then no more than what the file is told.
  const file = isGiven || joined ? undefined : rest[start];
  const readsInput =
    isShell && texts.slice(0, start).some((text) => /^-[A-Za-z]*s[A-Za-z]*$/.test(text));
  if (file && !readsInput) {
    about.said.push(
      `${quote(name)} runs what a file holds, which is not shown here: ${quote(file.text)}`,
    );
  } else if (!code && given.isFed) {
    about.said.push(
      `${quote(name)} runs whatever text flows into it as a program: what it does cannot be told`,
    );
  }
  if (!code) return;
  if (code.value === undefined) {
    about.said.push(
      `${quote(name)} runs text that is put together only then: ${quote(code.text, "command")}`,
    );
  } else if (isShell) {
    about.scripts.push(code.value);
  } else {
    about.said.push(`Code for ${quote(name)}, shown but not read: ${quote(code.value, "command")}`);
  }
}

/** Where the options that begin there end: what comes then is a file, or what runs as a program. */
function operandFrom(
  start: number,
  texts: readonly string[],
  { valued }: Interpreter,
  isShell: boolean,
): number {
  let at = start;
  for (; at < texts.length; at++) {
    const text = texts[at] as string;
    if (text === "--" || (isShell && text === "-")) return at + 1;
    // What flows in.
    if (text === "-") return texts.length;
    if (valued?.test(text)) at++;
    else if (!text.startsWith("-") && !(isShell && text.startsWith("+"))) break;
  }
  return at;
}

/** The code that stands in one word with its option. */
function joinedCode(options: readonly Word[], { joined }: Interpreter): Word | undefined {
  const found = options.find(({ text, value }) => joined?.test(value ?? text));
  return found && { text: found.text, value: found.value && joined?.exec(found.value)?.[1] };
}

const quoted = (words: readonly Word[]): string =>
  quote(words.map(({ text }) => text).join(" "), "command");
