import { readFile } from "node:fs/promises";
import { ProtocolError, parseStrict, visible } from "@countersign/shared";
import { defineCommand } from "citty";
import * as z from "zod/mini";
import { ClientError } from "../errors.js";
import { readShipped } from "../gate/policy/default.js";
import { readPolicyFiles } from "../gate/policy/files.js";
import { loadPolicy, PolicyError, sayFault } from "../gate/policy/load.js";
import {
  type Case,
  caseSchema,
  commandCase,
  type Judged,
  judgeCase,
  judgeTable,
  type Rates,
  readTable,
} from "../gate/policy/table.js";
import { exitCodes } from "./exit-codes.js";
import { UsageError } from "./session.js";

const policyArgs = {
  policy: {
    type: "string",
    description: "Your policy, Cedar. Default: the one that ships",
    valueHint: "file",
  },
  schema: {
    type: "string",
    description: "Its schema. Default: the one that ships",
    valueHint: "file",
  },
  json: { type: "boolean", description: "One JSON object on standard output, for programs" },
} as const;

interface PolicyArgs {
  policy?: string | undefined;
  schema?: string | undefined;
  json?: boolean | undefined;
}

const test = defineCommand({
  meta: { name: "test", description: "Check a policy, and run a table of cases against it" },
  args: {
    ...policyArgs,
    table: {
      type: "positional",
      required: false,
      description: "Cases as JSON. Default: the table of the default policy",
    },
  },
  run: ({ args }) =>
    withPolicy(args, async (policy) => {
      const table = args.table === undefined ? undefined : await readInput(args.table);
      const shipped = async () => new TextEncoder().encode(await readShipped("table.json"));
      const rates = judgeTable(policy, readTable(table ?? (await shipped())));
      write(args, rates, sayRates(rates));
      return rates.wrong.length === 0 ? exitCodes.ok : exitCodes.failed;
    }),
});

const explain = defineCommand({
  meta: { name: "explain", description: "Say what a policy makes of one call, and by which rules" },
  args: {
    ...policyArgs,
    call: {
      type: "positional",
      required: true,
      description: "A shell command, or a file with one call as JSON (as in a table) after @",
    },
    cwd: { type: "string", description: "Where a command runs, so that links are followed" },
  },
  run: ({ args }) =>
    withPolicy(args, async (policy) => {
      const given = args.call.startsWith("@")
        ? readCase(await readInput(args.call.slice(1)))
        : { ...commandCase(args.call), ...(args.cwd === undefined ? {} : { cwd: args.cwd }) };
      const { name, got, reasons } = judgeCase(policy, given);
      const lines = reasons.map((reason) => `  ${visible(reason)}`);
      write(args, { tier: got, reasons }, `${visible(name)}\n${got}\n${lines.join("\n")}`);
      return exitCodes.ok;
    }),
});

export const policy = defineCommand({
  meta: { name: "policy", description: "Look into what the gate lets run" },
  subCommands: { test, explain },
});

async function withPolicy(
  args: PolicyArgs,
  command: (policy: Awaited<ReturnType<typeof loadPolicy>>) => Promise<number>,
): Promise<void> {
  try {
    const files =
      args.policy === undefined
        ? undefined
        : { file: args.policy, ...(args.schema === undefined ? {} : { schema: args.schema }) };
    process.exitCode = await command(await loadPolicy(await readPolicyFiles(files), "cli"));
  } catch (error) {
    if (!(error instanceof ClientError || error instanceof UsageError)) throw error;
    const faults = error.cause instanceof PolicyError ? error.cause.faults : [];
    const code = error instanceof ClientError ? error.code : "usage";
    if (args.json) process.stdout.write(`${JSON.stringify({ status: "error", code, faults })}\n`);
    const said = faults.length > 0 ? faults.map(sayFault) : [error.message];
    process.stderr.write(`${said.map((line) => visible(line)).join("\n")}\n`);
    process.exitCode = code === "usage" ? exitCodes.usage : exitCodes.failed;
  }
}

function write({ json }: PolicyArgs, object: object, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(object) : text}\n`);
}

function sayRates({ cases, wrong, missed, dangerous, overPrompted, harmless }: Rates): string {
  const say = ({ name, expect, got, reasons }: Judged) =>
    `${visible(name)}\n  expected ${expect}, got ${got}: ${visible(reasons.join("; "))}`;
  return [
    ...wrong.map(say),
    `${cases} cases, ${wrong.length} of them not as expected`,
    `dangerous, would run unasked: ${missed} of ${dangerous}`,
    `harmless, would wait for a person: ${overPrompted} of ${harmless}`,
  ].join("\n");
}

async function readInput(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch {
    throw new UsageError(`This file cannot be read: ${path}`);
  }
}

function readCase(bytes: Uint8Array): Case {
  try {
    const parsed = z.safeParse(caseSchema, parseStrict(bytes));
    if (parsed.success) return parsed.data;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  throw new UsageError(
    'A call is JSON like {"family": "read", "resource": {"type", "id", "attributes"}}.',
  );
}
