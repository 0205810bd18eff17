import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { ExecutionError } from "./execution-error.js";

/** A command as it will be run: nothing is added to it but the sandbox around it. */
export interface Command {
  argv: readonly string[];
  /** A virtual path. Default: the first root. */
  cwd?: string | undefined;
  /** All of its environment. Default: where programs are, and nothing else. */
  env?: Readonly<Record<string, string>> | undefined;
  stdin?: string | undefined;
  timeoutMs: number;
  /** Files, by their real paths, that it sees with this content and cannot change. */
  pinned?: readonly { path: string; bytes: Uint8Array }[];
}

export interface CommandEnded {
  /** null where a signal ended it. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
  /** More was written than is kept. */
  truncated: boolean;
}

/**
 * @throws ExecutionError `timeout`, `aborted`, `not_started`: by then nothing of it runs any more
 */
export type RunCommand = (
  command: Command,
  options: { signal: AbortSignal },
) => Promise<CommandEnded>;

export const defaultEnvironment: Readonly<Record<string, string>> = {
  PATH: "/usr/local/bin:/usr/bin:/bin",
  HOME: "/tmp",
  LANG: "C.UTF-8",
};

/** Of standard output and of standard error, each. */
const maxOutputBytes = 256 * 1024;

/** A program with everything decided, the leader of a process group of its own. */
export interface Launch {
  argv: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  stdin: string;
  /** What descriptors 3 and following hold. */
  inputs: readonly Uint8Array[];
  timeoutMs: number;
}

/** Runs it to its end, or ends it with all that it started. */
export async function launch(
  { argv: [file = "", ...args], cwd, env, stdin, inputs, timeoutMs }: Launch,
  signal: AbortSignal,
): Promise<CommandEnded> {
  if (signal.aborted) throw new ExecutionError("aborted");
  const child = spawn(file, args, {
    cwd,
    env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe", ...inputs.map(() => "pipe" as const)],
  });
  for (const [index, input] of [Buffer.from(stdin), ...inputs].entries()) {
    feed(child.stdio[index === 0 ? 0 : index + 2], input);
  }
  const stdout = keepHead(child.stdout);
  const stderr = keepHead(child.stderr);
  let stopped: "timeout" | "aborted" | undefined;
  const stop = (why: "timeout" | "aborted") => {
    stopped ??= why;
    endGroup(child);
    // What left the group keeps its output open, and would be waited for: without a sandbox nothing else ends it.
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const onAbort = () => stop("aborted");
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => stop("timeout"), timeoutMs);
  try {
    const exitCode = await endOf(child);
    if (stopped) throw new ExecutionError(stopped);
    return {
      exitCode,
      stdout: stdout.text(),
      stderr: stderr.text(),
      truncated: stdout.isCut() || stderr.isCut(),
    };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** What it left running in its group ends with it, or its output would never end. */
async function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => reject(new ExecutionError("not_started", { cause })));
    child.once("exit", () => endGroup(child));
    child.once("close", (code) => resolve(code));
  });
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody of the group is left.
  }
}

function feed(stream: Writable | Readable | null | undefined, bytes: Uint8Array): void {
  const input = stream as Writable | null;
  // A command need not read what it is given.
  input?.on("error", () => {});
  input?.end(bytes);
}

function keepHead(stream: Readable) {
  const chunks: Buffer[] = [];
  let kept = 0;
  let cut = false;
  stream.on("data", (chunk: Buffer) => {
    const head = chunk.subarray(0, maxOutputBytes - kept);
    if (head.length > 0) chunks.push(head);
    kept += head.length;
    cut ||= head.length < chunk.length;
  });
  return { text: () => Buffer.concat(chunks).toString(), isCut: () => cut };
}
