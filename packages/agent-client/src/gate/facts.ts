import { resolve } from "node:path";
import { isPublicHost } from "@countersign/egress";
import type { Json } from "@countersign/shared";
import type { Clock } from "../clock.js";
import { defaultEnvironment } from "../executors/run-command.js";
import { type CommandVerdict, classifyArgv, classifyCommand } from "./command/classify.js";
import type { Described } from "./executor.js";
import type { Fact, PolicyQuestion } from "./policy/decide.js";
import { holdsSecrets, isSensitivePath, keepsPasswords, soundsConsequential } from "./sensitive.js";

/** What the gate knows of the moment. */
export interface Moment {
  /** Absolute. */
  home: string;
  agent: string;
  session: string;
  clock: Clock;
  depth: number;
  sessionCalls: number;
  earlierDenials: number;
}

/** A call as the policy is to see it, and what the command classifier made of it. */
export interface Weighed {
  question: PolicyQuestion;
  command: CommandVerdict | undefined;
}

/** An executor's facts and the gate's own, which nobody's overwrite. */
export function weighFacts(described: Described, moment: Moment): Weighed {
  const { proposal, family, resource, extent } = described;
  const command = resource.type === "Command" ? commandVerdict(described) : undefined;
  const now = new Date(moment.clock.now());
  // What only the gate says, nobody else does. Not by `delete`, which makes an object slow for all that read it.
  const { command: _, command_plain: __, ...told } = described.context;
  const context: Record<string, Fact> = {
    ...told,
    ...known("files", extent.files),
    ...known("bytes", extent.bytes),
    ...known("amount_minor", extent.amountMinor),
    ...known("currency", extent.currency),
    tool: proposal.tool,
    reversible: proposal.reversible === true,
    sensitive: isSensitive(described),
    own_home: touchesHome(described, moment.home),
    consequential: isConsequential(described),
    public_host: resource.type === "Url" && isPublicHost(textOf(resource.attributes, "host")),
    depth: moment.depth,
    session_calls: moment.sessionCalls,
    earlier_denials: moment.earlierDenials,
    hour: now.getHours(),
    weekday: now.getDay(),
    ...(command && { command: command.tier, command_plain: command.plain }),
  };
  const { session, agent } = moment;
  return { question: { session, agent, action: family, resource, context }, command };
}

const known = (name: string, value: Fact | undefined): Record<string, Fact> =>
  value === undefined ? {} : { [name]: value };

const textOf = (facts: Readonly<Record<string, Fact>>, name: string): string => {
  const value = Object.hasOwn(facts, name) ? facts[name] : undefined;
  return typeof value === "string" ? value : "";
};

function commandVerdict({ resource, proposal }: Described): CommandVerdict {
  const place = {
    cwd: proposal.cwd,
    env: askedFor(proposal.env),
    isFed: givesInput(proposal.args),
  };
  const text = textOf(resource.attributes, "command");
  if (text !== "") return classifyCommand(text, place);
  return classifyArgv(readArgv(textOf(resource.attributes, "argv")), place);
}

/** Without what every command gets. */
const askedFor = (env: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) =>
        !(Object.hasOwn(defaultEnvironment, name) && defaultEnvironment[name] === value),
    ),
  );

const givesInput = (args: Json): boolean =>
  args !== null && typeof args === "object" && "stdin" in args;

function readArgv(text: string): string[] {
  try {
    const argv: unknown = JSON.parse(text);
    return Array.isArray(argv) && argv.every((word) => typeof word === "string") ? argv : [];
  } catch {
    return [];
  }
}

function isSensitive({ family, resource, context }: Described): boolean {
  const { type, id, attributes } = resource;
  if (type === "File") {
    const paths = [id, textOf(attributes, "path"), textOf(context, "from"), textOf(context, "to")];
    return [...new Set(paths)].some(
      family === "read" || family === "list" ? holdsSecrets : isSensitivePath,
    );
  }
  const applications = [
    textOf(attributes, "application"),
    textOf(attributes, "window"),
    textOf(context, "application"),
    textOf(context, "window"),
    ...(type === "Application" || type === "Window"
      ? [id, textOf(attributes, "name"), textOf(attributes, "title")]
      : []),
  ];
  return applications.some(keepsPasswords);
}

/** By path, however it is reached: executors resolve links and show where they lead. */
function touchesHome({ resource, proposal }: Described, home: string): boolean {
  const texts = [resource.id, ...Object.values(resource.attributes)].filter(
    (value) => typeof value === "string",
  );
  if (texts.some((text) => text.includes(home))) return true;
  const path = textOf(resource.attributes, "path");
  if (resource.type !== "File" || path === "" || proposal.cwd === undefined) return false;
  const reached = resolve(proposal.cwd, path);
  return reached === home || reached.startsWith(`${home}/`);
}

function isConsequential({ family, resource }: Described): boolean {
  if (family !== "click") return false;
  return [textOf(resource.attributes, "name"), textOf(resource.attributes, "href")].some(
    soundsConsequential,
  );
}
