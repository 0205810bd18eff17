import { codeFlagOf, effectOf, isFilter, isWrapper, programName, shells } from "./programs.js";
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
    addWrapped(about, rest, given);
  } else {
    addInterpreter(about, name, rest, given);
  }
  return about;
}

/** The program that a wrapper runs cannot be told from its options for sure: any word may be it. */
function addWrapped(about: About, rest: readonly Word[], given: { isFed: boolean }): void {
  const nameOf = ({ value }: Word) => (value === undefined ? "" : programName(value));
  const at = rest.findIndex((word) => runsText(nameOf(word)));
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
  ["eval", "source", "."].includes(name) || (codeFlagOf(name) !== undefined && !isFilter(name));

function addInterpreter(
  about: About,
  name: string,
  rest: readonly Word[],
  given: { isFed: boolean },
): void {
  const flag = codeFlagOf(name);
  if (!flag || isFilter(name)) return;
  const at = rest.findIndex(({ text }) => flag.test(text));
  const code = at < 0 ? undefined : rest[at + 1];
  if (code) {
    if (code.value === undefined) {
      about.said.push(
        `${quote(name)} runs text that is put together only then: ${quote(code.text, "command")}`,
      );
    } else if (shells.includes(name)) {
      about.scripts.push(code.value);
    } else {
      about.said.push(
        `Code for ${quote(name)}, shown but not read: ${quote(code.value, "command")}`,
      );
    }
    return;
  }
  const readsInput = rest.length === 0 || rest.some(({ text }) => /^-[A-Za-z]*s$/.test(text));
  const file = readsInput ? undefined : rest.find(({ text }) => !text.startsWith("-"));
  if (file) {
    about.said.push(
      `${quote(name)} runs what a file holds, which is not shown here: ${quote(file.text)}`,
    );
  } else if (given.isFed) {
    about.said.push(
      `${quote(name)} runs whatever text flows into it as a program: what it does cannot be told`,
    );
  }
}

const quoted = (words: readonly Word[]): string =>
  quote(words.map(({ text }) => text).join(" "), "command");
