import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { silent } from "../../logger.js";
import { decide, type PolicyQuestion } from "./decide.js";
import { readShipped } from "./default.js";
import { openPolicy } from "./files.js";
import { loadPolicy, PolicyError } from "./load.js";

const schema = await readShipped("schema.cedarschema");
const names = { policy: "own.cedar", schema: "own.cedarschema" };
let slots = 0;
const load = (policy: string, own = schema) =>
  loadPolicy({ policy, schema: own, names }, `test-${slots++}`);
const faultsOf = async (policy: string, own?: string) => {
  const error: unknown = await load(policy, own).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "policy_invalid" });
  const { cause } = error as Error;
  if (!(cause instanceof PolicyError)) throw error;
  return cause.faults;
};
const question = (context: PolicyQuestion["context"] = {}): PolicyQuestion => ({
  ...{ session: "s", agent: "a", action: "read" },
  resource: { type: "File", id: "f", attributes: { path: "f" } },
  context: {
    ...{ tool: "t", reversible: false, sensitive: false, own_home: false, consequential: false },
    ...{ public_host: false, depth: 0, session_calls: 0, earlier_denials: 0, hour: 1, weekday: 1 },
    ...context,
  },
});
const permit = (id: string, tier: string, when = "") =>
  `@id("${id}") @tier("${tier}") permit (principal, action, resource)${when};`;

describe("a policy that is loaded", () => {
  it.each<[string, string, number, number]>([
    ["a syntax error", `// é\n${permit("a", "green")}\npermit (principal`, 3, 18],
    [
      "an attribute that nothing has",
      `${permit("a", "green", " when { resource.colour == 1 }")}`,
      1,
      69,
    ],
    [
      "an optional fact taken for granted",
      `\n  ${permit("a", "green", " when { context.files > 1 }")}`,
      2,
      71,
    ],
    ["a permit without a tier", `@id("a")\npermit (principal, action, resource);`, 1, 1],
    ["a tier that is none", `\n@id("a") @tier("blue") permit (principal, action, resource);`, 2, 1],
    ["a forbid with a tier", '@id("a") @tier("red") forbid (principal, action, resource);', 1, 1],
    ["a rule without an id", `@tier("red") permit (principal, action, resource);`, 1, 1],
    ["two rules of one id", `${permit("a", "green")}\n// again\n${permit("a", "red")}`, 3, 1],
    [
      "a template",
      '@id("a") @tier("red") permit (principal == ?principal, action, resource);',
      1,
      1,
    ],
  ])("is refused for %s, with line and column", async (_, policy, line, column) => {
    const [fault] = await faultsOf(policy);
    expect(fault).toMatchObject({ file: "own.cedar", line, column });
  });

  it("is refused for a schema that is none, where it is wrong", async () => {
    const [fault] = await faultsOf(permit("a", "red"), "entity Agent;\nentity B = { x: Strin };");
    expect(fault).toMatchObject({ file: "own.cedarschema", line: 2, column: 17 });
  });

  it("goes by the highest tier that matches", async () => {
    const policy = await load(
      [
        permit("a", "green"),
        permit("b", "red", " when { context.sensitive }"),
        permit("c", "yellow"),
      ].join("\n"),
    );
    expect(decide(policy, question(), "red")).toEqual({
      verdict: "tier",
      tier: "yellow",
      rules: ["c"],
    });
    expect(decide(policy, question({ sensitive: true }), "red")).toMatchObject({
      tier: "red",
      rules: ["b"],
    });
  });

  it("refuses by a forbid, whatever permits say", async () => {
    const policy = await load(
      `${permit("a", "green")} @id("never") forbid (principal, action, resource);`,
    );
    expect(decide(policy, question(), "red")).toMatchObject({
      verdict: "refused",
      rules: ["never"],
    });
  });

  it("makes red, or refuses, what no rule matches", async () => {
    const policy = await load(permit("a", "green", " when { context.sensitive }"));
    expect(decide(policy, question(), "red")).toMatchObject({
      tier: "red",
      rules: ["gate:no_rule"],
    });
    expect(decide(policy, question(), "refuse")).toMatchObject({
      verdict: "refused",
      code: "no_rule",
    });
  });

  it("makes red what a rule cannot be evaluated for, since Cedar skips a forbid that fails", async () => {
    const overflow = " when { context.depth + 9223372036854775807 > 0 }";
    const policy = await load(
      `${permit("a", "green")} @id("f") forbid (principal, action, resource)${overflow};`,
    );
    expect(decide(policy, question({ depth: 1 }), "red")).toMatchObject({ tier: "red" });
    expect(decide(policy, question({ depth: 1 }), "red")).toMatchObject({
      rules: ["gate:policy_error", "f"],
    });
  });

  it("makes red what has facts of another kind than the schema says, and takes no notice of others", async () => {
    const policy = await load(permit("a", "green"));
    expect(decide(policy, question({ files: "many" }), "red")).toMatchObject({
      rules: ["gate:facts"],
    });
    expect(decide(policy, question({ files: 1.5 }), "red")).toMatchObject({
      rules: ["gate:facts"],
    });
    expect(decide(policy, question({ colour: "blue" }), "red")).toMatchObject({ tier: "green" });
    const other = { ...question(), action: "fly" };
    expect(decide(policy, other, "red")).toMatchObject({ tier: "red" });
  });
});

describe("a policy in a file", () => {
  it("is taken anew when it changes, whole, and stays where the new one is bad", async () => {
    const folder = await mkdtemp(join(tmpdir(), "countersign-policy-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, "own.cedar");
    await writeFile(file, permit("first", "green"));
    const warned: string[] = [];
    const logger = { ...silent, warn: (message: string) => void warned.push(message) };
    const policy = await openPolicy({ file }, logger);
    onTestFinished(policy.close);
    const rules = () => [...policy.current().rules.keys()];
    await writeFile(file, "permit (");
    await expect(policy.reload()).rejects.toMatchObject({ code: "policy_invalid" });
    expect(rules()).toEqual(["first"]);
    expect(decide(policy.current(), question(), "red")).toMatchObject({ tier: "green" });
    await writeFile(file, permit("second", "red"));
    await policy.reload();
    expect(rules()).toEqual(["second"]);
    expect(decide(policy.current(), question(), "red")).toMatchObject({ tier: "red" });
    // By itself, too.
    await writeFile(file, `${permit("third", "yellow")}\n\n`);
    await expect.poll(rules).toEqual(["third"]);
    await writeFile(file, "nothing of the kind");
    await expect.poll(() => warned.length).toBeGreaterThan(0);
    expect(rules()).toEqual(["third"]);
  });
});
