import { type Json, ProtocolError, parseStrict, tier } from "@countersign/shared";
import * as z from "zod/mini";
import { systemClock } from "../../clock.js";
import { ClientError } from "../../errors.js";
import type { Described } from "../executor.js";
import { weighFacts } from "../facts.js";
import { highest } from "../tier.js";
import { decide } from "./decide.js";
import type { LoadedPolicy } from "./load.js";

const expected = z.enum([...tier.options, "refused"]);
export type Expected = z.infer<typeof expected>;
const facts = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const families = z.enum([
  ...["read", "list", "write", "move", "delete", "execute", "request"],
  ...["navigate", "click", "type", "send", "pay", "call"],
] as Described["family"][]);
const types = z.enum([
  ...["File", "Url", "Application", "Window", "Element", "Account", "Command", "Tool"],
] as Described["resource"]["type"][]);

/** A call as an executor would describe it. */
export const caseSchema = z.strictObject({
  expect: z.optional(expected),
  tool: z.optional(z.string()),
  family: families,
  resource: z.strictObject({ type: types, id: z.string(), attributes: facts }),
  context: z.optional(facts),
  extent: z.optional(
    z.strictObject({
      files: z.optional(z.int()),
      bytes: z.optional(z.int()),
      amountMinor: z.optional(z.int()),
      currency: z.optional(z.string()),
    }),
  ),
  reversible: z.optional(z.boolean()),
  cwd: z.optional(z.string()),
});
export type Case = z.infer<typeof caseSchema>;

const tableSchema = z.strictObject({
  /** What shells are given, by what it must come to. */
  commands: z.optional(z.partialRecord(expected, z.array(z.string()))),
  calls: z.optional(z.array(z.extend(caseSchema, { expect: expected }))),
});

/** One case and what it came to. */
export interface Judged {
  name: string;
  expect: Expected;
  got: Expected;
  reasons: string[];
}

/** @throws ClientError `table_invalid` */
export function readTable(bytes: Uint8Array): (Case & { expect: Expected })[] {
  const parsed = z.safeParse(tableSchema, parseJson(bytes));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ClientError("table_invalid", {
      detail: `${issue?.path.join(".")}: ${issue?.message}`,
    });
  }
  const { commands = {}, calls = [] } = parsed.data;
  const shells = Object.entries(commands).flatMap(([expect, texts = []]) =>
    texts.map((text) => ({ ...commandCase(text), expect: expect as Expected })),
  );
  return [...shells, ...calls];
}

export const commandCase = (command: string): Case => ({
  family: "execute",
  resource: { type: "Command", id: "sh", attributes: { command } },
});

function parseJson(bytes: Uint8Array): Json {
  try {
    return parseStrict(bytes);
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw new ClientError("table_invalid", { cause, detail: "it is no strict JSON" });
  }
}

/** What the gate would say of a case, but for limits, classifiers and what was denied before. */
export function judgeCase(policy: LoadedPolicy, given: Case): Omit<Judged, "expect"> {
  const { family, resource, context = {}, extent = {}, reversible = false, cwd } = given;
  const proposal = {
    ...{ tool: given.tool ?? family, args: {}, reversible },
    ...(cwd === undefined ? {} : { cwd }),
  };
  const { question, command } = weighFacts(
    { proposal, family, resource, extent: known(extent), context },
    {
      ...{ home: "/nowhere/countersign", agent: "agent", session: "session", clock: systemClock },
      ...{ depth: 0, sessionCalls: 0, earlierDenials: 0 },
    },
  );
  const answer = decide(policy, question, "red");
  const said = command && command.tier !== "green" ? command.reasons : [];
  const reasons = [...answer.rules, ...said.map((reason) => `command: ${reason}`)];
  const name = nameOf(given);
  if (answer.verdict === "refused") return { name, got: "refused", reasons };
  const raised = command === undefined || command.tier === "unknown" ? "green" : command.tier;
  return { name, got: highest(answer.tier, raised), reasons };
}

const known = (extent: NonNullable<Case["extent"]>): Described["extent"] =>
  Object.fromEntries(Object.entries(extent).filter(([, value]) => value !== undefined));

function nameOf({ family, resource: { type, id, attributes } }: Case): string {
  const command = attributes["command"];
  if (family === "execute" && typeof command === "string") return command;
  return `${family} ${type} ${id} ${JSON.stringify(attributes)}`;
}

export interface Rates {
  cases: number;
  wrong: Judged[];
  /** Expected red or refused, and would have run unasked. */
  missed: number;
  dangerous: number;
  /** Expected green, and would have stopped for a person. */
  overPrompted: number;
  harmless: number;
}

export function ratesOf(judged: readonly Judged[]): Rates {
  const isDangerous = ({ expect }: Judged) => expect === "red" || expect === "refused";
  const stops = ({ got }: Judged) => got === "red" || got === "refused";
  return {
    cases: judged.length,
    wrong: judged.filter(({ expect, got }) => expect !== got),
    missed: judged.filter((one) => isDangerous(one) && one.got === "green").length,
    dangerous: judged.filter(isDangerous).length,
    overPrompted: judged.filter((one) => one.expect === "green" && stops(one)).length,
    harmless: judged.filter(({ expect }) => expect === "green").length,
  };
}

export const judgeTable = (
  policy: LoadedPolicy,
  cases: readonly (Case & { expect: Expected })[],
): Rates => ratesOf(cases.map((given) => ({ expect: given.expect, ...judgeCase(policy, given) })));
