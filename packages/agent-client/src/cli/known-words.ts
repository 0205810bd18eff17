import { parseArgs } from "node:util";
import type { ArgsDef, CommandDef, Resolvable, SubCommandsDef } from "citty";
import { UsageError } from "./session.js";

interface Commands {
  args?: Resolvable<ArgsDef>;
  subCommands?: Resolvable<SubCommandsDef>;
}

/**
 * Refuses what a command does not know. citty passes over it: a misspelt `--against` would be no check at all, and a
 * misspelt `--quorum` one approver.
 * @param takesMore commands whose last word may be given more than once
 * @throws UsageError
 */
export async function requireKnownWords(
  command: Commands,
  words: readonly string[],
  takesMore: ReadonlySet<Commands>,
): Promise<void> {
  const below = await resolved(command.subCommands);
  if (below) {
    const [name = "", ...rest] = words;
    if (name.startsWith("-")) throw new UsageError(`Options come after the command: ${name}`);
    // Where there is no such command, citty says so.
    const next = Object.hasOwn(below, name) ? await resolved<CommandDef>(below[name]) : undefined;
    if (next) await requireKnownWords(next, rest, takesMore);
    return;
  }
  const known = Object.entries((await resolved(command.args)) ?? {});
  const options = new Map(known.filter(([, { type }]) => type !== "positional"));
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries([...options].map(([name, { type }]) => [name, optionOf(type)])),
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const option = options.get(token.name);
    if (!option) throw new UsageError(`There is no such option: ${token.rawName}`);
    requireValue(option.type === "boolean", token);
  }
  const positionals = tokens.flatMap((token) => (token.kind === "positional" ? token.value : []));
  const tooMany = positionals[known.length - options.size];
  if (tooMany !== undefined && !takesMore.has(command)) {
    throw new UsageError(`One word too many: ${tooMany}`);
  }
}

const optionOf = (type: string | undefined) =>
  ({ type: type === "boolean" ? "boolean" : "string" }) as const;

/** `--home "$UNSET"` of a script gives nothing. A key may begin with a hyphen; two are the next option's. */
function requireValue(
  isSwitch: boolean,
  {
    rawName,
    value,
    inlineValue,
  }: { rawName: string; value?: string | undefined; inlineValue?: boolean | undefined },
): void {
  if (isSwitch) {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value.`);
  } else if (!value || (!inlineValue && value.startsWith("--"))) {
    throw new UsageError(`Nothing is given for ${rawName}.`);
  }
}

const resolved = async <T>(given: Resolvable<T> | undefined): Promise<T | undefined> =>
  typeof given === "function" ? (given as () => T | Promise<T>)() : given;
