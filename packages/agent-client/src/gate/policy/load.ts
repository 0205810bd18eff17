import type { DetailedError } from "@cedar-policy/cedar-wasm/nodejs";
import { type Tier, tier } from "@countersign/shared";
import * as z from "zod/mini";
import { ClientError } from "../../errors.js";
import { type Cedar, loadCedar } from "./cedar.js";
import { type Position, positionOf } from "./position.js";
import { readSchema, type SchemaNames } from "./schema.js";

/** A policy as text. The schema is Countersign's own unless another one is given. */
export interface PolicyText {
  policy: string;
  schema: string;
  /** How the texts are called in what is said about them. */
  names: { policy: string; schema: string };
}

/** One fault of a policy, where it is. */
export interface PolicyFault extends Partial<Position> {
  file: string;
  message: string;
}

/** A policy that was read, validated and parsed beforehand. */
export interface LoadedPolicy {
  cedar: Cedar;
  rules: ReadonlyMap<string, Rule>;
  names: SchemaNames;
  /** Cedar's own names of what it holds parsed. */
  policySetId: string;
  schemaId: string;
}

export interface Rule {
  id: string;
  effect: "permit" | "forbid";
  /** Of a permit. */
  tier: Tier | undefined;
  /** Its author's own words, `@reason`. */
  reason: string | undefined;
}

/**
 * Reads a policy, and refuses what could mean something else than its author thinks: what does not fit the schema
 * (strictly), permits without a tier, rules without an id or with one that is taken, templates.
 * @param slot what Cedar holds under this name is replaced, and only when everything was right
 * @throws ClientError `policy_invalid`, with where; its `cause` is a {@link PolicyError} with all faults
 */
export async function loadPolicy(text: PolicyText, slot: string): Promise<LoadedPolicy> {
  const cedar = await loadCedar();
  const parsedSchema = cedar.checkParseSchema(text.schema);
  if (parsedSchema.type === "failure") refuse(parsedSchema.errors.map(fault(text, "schema")));
  const parts = cedar.policySetTextToParts(text.policy);
  if (parts.type === "failure") refuse(parts.errors.map(fault(text, "policy")));
  const rules = parts.policies.map((part) => ({ part, ...readRule(cedar, text, part) }));
  const faults = [
    ...parts.policy_templates.map((part) => at(text, part, "a template, which nothing fills in")),
    ...rules.flatMap(({ faults: own }) => own),
    ...duplicates(text, rules),
    ...validationFaults(cedar, text),
  ];
  if (faults.length > 0) refuse(faults);
  return keep(cedar, text, slot, rules);
}

/** All faults of a policy. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  readonly faults: readonly PolicyFault[];

  constructor(faults: readonly PolicyFault[]) {
    super(faults.map(sayFault).join("\n"));
    this.faults = faults;
  }
}

export const sayFault = ({ file, line, column, message }: PolicyFault): string =>
  `${file}${line === undefined ? "" : `:${line}:${column}`}: ${message}`;

function refuse(faults: readonly PolicyFault[]): never {
  const [first] = faults;
  throw new ClientError("policy_invalid", {
    cause: new PolicyError(faults),
    detail: first && sayFault(first),
  });
}

interface ReadRule {
  part: string;
  rule: Rule;
  faults: PolicyFault[];
}

function readRule(cedar: Cedar, text: PolicyText, part: string): Omit<ReadRule, "part"> {
  const read = cedar.policyToJson(part);
  if (read.type === "failure") refuse(read.errors.map(fault(text, "policy")));
  const { effect, annotations = {} } = read.json;
  const id = annotations["id"] ?? "";
  const given = z.safeParse(tier, annotations["tier"]).data;
  const faults: PolicyFault[] = [];
  if (!/^[a-z0-9][a-z0-9._-]{0,79}$/.test(id)) {
    faults.push(at(text, part, 'needs an @id("...") of lower-case letters, digits, ".", "_", "-"'));
  }
  if (effect === "permit" && !given) {
    faults.push(at(text, part, 'a permit needs @tier("green"), @tier("yellow") or @tier("red")'));
  }
  if (effect === "forbid" && annotations["tier"] !== undefined) {
    faults.push(at(text, part, "a forbid has no tier: it refuses"));
  }
  return { rule: { id, effect, tier: given, reason: annotations["reason"] }, faults };
}

/** Cedar itself takes no notice of `@id`: two rules of one name would be one in every explanation. */
function duplicates(text: PolicyText, rules: readonly ReadRule[]): PolicyFault[] {
  const seen = new Set<string>();
  return rules.flatMap(({ part, rule: { id } }) => {
    if (!seen.has(id)) {
      seen.add(id);
      return [];
    }
    return [at(text, part, `the id "${id}" is taken`, text.policy.lastIndexOf(part))];
  });
}

function validationFaults(cedar: Cedar, text: PolicyText): PolicyFault[] {
  const answer = cedar.validate({
    validationSettings: { mode: "strict" },
    schema: text.schema,
    policies: { staticPolicies: text.policy },
  });
  if (answer.type === "failure") return answer.errors.map(fault(text, "policy"));
  return [...answer.validationErrors, ...answer.validationWarnings].map(({ error }) =>
    fault(text, "policy")(error),
  );
}

/** Everything was right: from here on nothing can fail, so that there is never half of a policy. */
function keep(
  cedar: Cedar,
  text: PolicyText,
  slot: string,
  rules: readonly ReadRule[],
): LoadedPolicy {
  const staticPolicies = Object.fromEntries(rules.map(({ part, rule }) => [rule.id, part]));
  const schema = cedar.preparseSchema(slot, text.schema);
  if (schema.type === "failure") refuse(schema.errors.map(fault(text, "schema")));
  const policies = cedar.preparsePolicySet(slot, { staticPolicies });
  if (policies.type === "failure") refuse(policies.errors.map(fault(text, "policy")));
  return {
    cedar,
    rules: new Map(rules.map(({ rule }) => [rule.id, rule])),
    names: readSchema(cedar, text.schema),
    policySetId: slot,
    schemaId: slot,
  };
}

const fault =
  (text: PolicyText, which: "policy" | "schema") =>
  ({ message, help, sourceLocations = [] }: DetailedError): PolicyFault => {
    const [location] = sourceLocations;
    const said = message.replace(/^for policy `policy\d+`, /, "");
    return {
      file: text.names[which],
      message: help === null ? said : `${said} (${help})`,
      ...(location ? positionOf(text[which], location.start) : {}),
    };
  };

function at(
  text: PolicyText,
  part: string,
  message: string,
  index = text.policy.indexOf(part),
): PolicyFault {
  const bytes = new TextEncoder().encode(text.policy.slice(0, Math.max(0, index))).length;
  return { file: text.names.policy, message, ...positionOf(text.policy, bytes) };
}
