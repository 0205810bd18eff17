import type { CedarValueJson, EntityJson } from "@cedar-policy/cedar-wasm/nodejs";
import type { Tier } from "@countersign/shared";
import { highest } from "../tier.js";
import type { LoadedPolicy } from "./load.js";

/** A call as the policy sees it. */
export interface PolicyQuestion {
  session: string;
  agent: string;
  action: string;
  resource: { type: string; id: string; attributes: Readonly<Record<string, Fact>> };
  context: Readonly<Record<string, Fact>>;
}
export type Fact = string | number | boolean;

export type PolicyAnswer =
  /** `rules`: ids of all that matched, those that decided first. */
  | { verdict: "tier"; tier: Tier; rules: string[] }
  | { verdict: "refused"; code: "forbidden" | "no_rule"; rules: string[] };

/**
 * What a policy says of a call. A rule that could not be evaluated is skipped by Cedar, a forbid too: whatever the
 * others say then is not what their author meant, so it is red.
 * @param noRule what becomes of a call that no rule matches
 */
export function decide(
  policy: LoadedPolicy,
  question: PolicyQuestion,
  noRule: "red" | "refuse",
): PolicyAnswer {
  const answer = policy.cedar.statefulIsAuthorized({
    principal: { type: "Session", id: question.session },
    action: { type: "Action", id: question.action },
    resource: { type: question.resource.type, id: question.resource.id },
    context: declared(policy.names.context.get(question.action), question.context),
    entities: entitiesOf(policy, question),
    preparsedSchemaName: policy.schemaId,
    preparsedPolicySetId: policy.policySetId,
    validateRequest: true,
  });
  if (answer.type === "failure") return { verdict: "tier", tier: "red", rules: ["gate:facts"] };
  const { decision, diagnostics } = answer.response;
  const matched = diagnostics.reason.flatMap((id) => policy.rules.get(id) ?? []);
  const known = matched.length === diagnostics.reason.length;
  if (decision === "deny" && matched.length > 0 && known) {
    return { verdict: "refused", code: "forbidden", rules: matched.map(({ id }) => id).sort() };
  }
  if (diagnostics.errors.length > 0 || !known) {
    const ids = diagnostics.errors.map(({ policyId }) => policyId).sort();
    return { verdict: "tier", tier: "red", rules: ["gate:policy_error", ...ids] };
  }
  if (matched.length === 0) {
    const rules = ["gate:no_rule"];
    if (noRule === "refuse") return { verdict: "refused", code: "no_rule", rules };
    return { verdict: "tier", tier: "red", rules };
  }
  const tier = matched.reduce<Tier>((so, rule) => highest(so, rule.tier ?? "red"), "green");
  const deciding = matched.filter((rule) => rule.tier === tier);
  return { verdict: "tier", tier, rules: deciding.map(({ id }) => id).sort() };
}

function entitiesOf({ names }: LoadedPolicy, question: PolicyQuestion): EntityJson[] {
  const { type, id, attributes } = question.resource;
  const agent = { type: "Agent", id: question.agent };
  return [
    { uid: { type, id }, attrs: declared(names.attributes.get(type), attributes), parents: [] },
    { uid: { type: "Session", id: question.session }, attrs: {}, parents: [agent] },
    { uid: agent, attrs: {}, parents: [] },
  ];
}

/** Facts that the schema does not declare cannot be asked for by any policy; Cedar would refuse the whole request. */
function declared(
  names: ReadonlySet<string> | undefined,
  facts: Readonly<Record<string, Fact>>,
): Record<string, CedarValueJson> {
  const kept: Record<string, CedarValueJson> = {};
  for (const name in facts) {
    if (names?.has(name) && Object.hasOwn(facts, name)) kept[name] = facts[name] as Fact;
  }
  return kept;
}
