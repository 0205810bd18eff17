import { isAbsolute, join, relative } from "node:path";
import { type Action, parse } from "@countersign/shared";
import * as z from "zod/mini";
import { type Described, type Executor, InvalidCall, type ToolCall } from "../gate/executor.js";
import type { Changing } from "./changing.js";
import { readApproved } from "./content.js";
import { kindOf } from "./directory.js";
import { codeOf, ExecutionError } from "./execution-error.js";
import type { Roots } from "./roots.js";
import { type Command, defaultEnvironment, type RunCommand } from "./run-command.js";
import { createRunCommand, directoryOf, type SandboxOptions } from "./sandbox.js";
import { parseVirtualPath, writePath } from "./virtual-path.js";

const defaultMs = 120_000;
const maxMs = 600_000;

const variable = z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/));
const word = z.string().check(
  z.maxLength(100_000),
  z.refine((text) => !text.includes("\0")),
);
const common = {
  cwd: z.optional(word),
  stdin: z.optional(z.string().check(z.maxLength(1_000_000))),
  env: z.optional(z.record(variable, word)),
};
const shell = z.strictObject({
  ...common,
  command: word.check(z.minLength(1)),
  timeout_ms: z.optional(z.int().check(z.minimum(1), z.maximum(maxMs))),
});
/** A list and not a text: how a text would be taken apart is a shell's business. */
const program = z.strictObject({
  ...common,
  program: word.check(z.minLength(1)),
  args: z.array(word).check(z.maxLength(1000)),
});

/**
 * `shell.exec` and `process.run`, in a sandbox without network in which only the roots can be written. What it was
 * asked to run inside a root is run as it was approved, whatever became of the file.
 * @throws ClientError `invalid_options` where there is no sandbox and nobody said that there need be none
 */
export async function commandExecutor(
  options: SandboxOptions,
): Promise<Executor & Changing & { runCommand: RunCommand }> {
  const { roots, sandbox } = options;
  const runCommand = await createRunCommand(options);
  const sandboxed = sandbox !== "none";
  return {
    tools: ["shell.exec", "process.run"],
    runCommand,
    changes: () => roots.names.map((root) => writePath({ root, names: [] })),
    describe: (call) => describeCommand(roots, sandboxed, call),
    async execute(action, { signal }) {
      const { command, program: path } = readCommand(action);
      const pinned = path === undefined ? [] : await pinnedProgram(roots, action, path);
      const { exitCode, stdout, stderr, truncated } = await runCommand(
        { ...command, env: action.env, ...(sandboxed ? { pinned } : {}) },
        { signal },
      );
      return { value: { exit_code: exitCode, stdout, stderr, truncated } };
    },
  };
}

interface Read {
  command: Command;
  /** What is run without a shell, as it was asked for. */
  program?: string;
  asked: Readonly<Record<string, string>>;
}

/** @throws InvalidCall `arguments_invalid`, `tool_unknown` */
function readCommand({ tool, args }: ToolCall): Read {
  try {
    if (tool === "shell.exec") {
      const { command, timeout_ms: timeoutMs = defaultMs, cwd, stdin, env } = parse(shell, args);
      const argv = ["/bin/sh", "-c", command];
      return { command: { argv, cwd, stdin, timeoutMs }, asked: env ?? {} };
    }
    if (tool === "process.run") {
      const { program: name, args: words, cwd, stdin, env } = parse(program, args);
      const command = { argv: [name, ...words], cwd, stdin, timeoutMs: defaultMs };
      return { command, program: name, asked: env ?? {} };
    }
  } catch (cause) {
    throw new InvalidCall("arguments_invalid", { cause });
  }
  throw new InvalidCall("tool_unknown");
}

async function describeCommand(
  roots: Roots,
  sandboxed: boolean,
  call: ToolCall,
): Promise<Described> {
  const { command, program: name, asked } = readCommand(call);
  const cwd = await directoryOf(roots, command.cwd).catch((cause) => {
    throw new InvalidCall(codeOf(cause), { cause });
  });
  const pinned = name === undefined ? undefined : await virtualProgram(roots, cwd, name);
  const [, , text = ""] = command.argv;
  const said = name === undefined ? { command: text } : { argv: JSON.stringify(command.argv) };
  return {
    proposal: {
      ...{ tool: call.tool, args: call.args, cwd, env: { ...defaultEnvironment, ...asked } },
      preconditions: pinned === undefined ? [] : [{ kind: "file", subject: pinned }],
      reversible: false,
    },
    family: "execute",
    resource: {
      type: "Command",
      id: name ?? "/bin/sh",
      attributes: { ...said, program: name ?? "/bin/sh", cwd, sandboxed, network: !sandboxed },
    },
    extent: {},
    context: { in_sandbox: sandboxed, network: !sandboxed },
  };
}

/** The virtual path of a program that is a file of a root; those of the system are nobody's to change. */
async function virtualProgram(
  roots: Roots,
  cwd: string,
  name: string,
): Promise<string | undefined> {
  if (!name.includes("/")) return undefined;
  const path = isAbsolute(name) ? join(name) : join(cwd, name);
  const root = roots.names.find((candidate) => isBelow(roots.directoryOf(candidate), path));
  if (root === undefined) return undefined;
  const virtual = `vfs://${root}/${relative(roots.directoryOf(root), path)}`;
  try {
    const { parent, name: file } = await roots.openParent(parseVirtualPath(virtual));
    const kind = await kindOf(parent, file).finally(() => parent.close());
    if (kind !== "file") throw new ExecutionError("not_a_file");
    return virtual;
  } catch (cause) {
    throw new InvalidCall(codeOf(cause), { cause });
  }
}

const isBelow = (directory: string, path: string): boolean => path.startsWith(`${directory}/`);

/** @throws ExecutionError `precondition_changed`, `precondition_missing` */
async function pinnedProgram(roots: Roots, action: Action, name: string) {
  const virtual = await virtualProgram(roots, action.cwd ?? "/", name);
  if (virtual === undefined) return [];
  const approved = action.preconditions.find(
    ({ kind, subject }) => kind === "file" && subject === virtual,
  );
  if (!approved) throw new ExecutionError("precondition_missing");
  const path = parseVirtualPath(virtual);
  const { parent, name: file } = await roots.openParent(path);
  try {
    const read = await readApproved(parent, file, approved.sha256);
    await read.file.close();
    return [{ path: [roots.directoryOf(path.root), ...path.names].join("/"), bytes: read.bytes }];
  } finally {
    await parent.close();
  }
}
