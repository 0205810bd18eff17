import { access, constants, lstat, readlink } from "node:fs/promises";
import { ClientError } from "../errors.js";
import { ExecutionError } from "./execution-error.js";
import type { Roots } from "./roots.js";
import { type Command, defaultEnvironment, launch, type RunCommand } from "./run-command.js";
import { parseVirtualPath } from "./virtual-path.js";

export interface SandboxOptions {
  /** Where commands may write, and all they see of the machine but its programs. */
  roots: Roots;
  /**
   * "none" runs commands as the agent itself, with its network and everything it can reach; the policy is told.
   * Default: bubblewrap, or nothing is run.
   */
  sandbox?: "none";
  /** Further directories that commands may read: tool chains outside `/usr`. */
  readable?: readonly string[];
}

const bubblewrap = "/usr/bin/bwrap";

/**
 * What a command and all that it starts may take: processes together (on Linux before 5.14 with the user's others; the
 * kernel counts none of root's), data of each process, and no dump of its memory. Set inside, where nobody may raise it.
 */
const limited = [
  "/usr/bin/prlimit",
  ...["--nproc=1024", `--data=${4 * 1024 ** 3}`, "--core=0", "--"],
];

/** What programs need of `/etc`, and nothing that tells of accounts or keys. */
const configuration = [
  "alternatives",
  "fonts",
  "group",
  "hosts",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "localtime",
  "mime.types",
  "nsswitch.conf",
  "os-release",
  "passwd",
  "protocols",
  "services",
  "ssl/certs",
];

/** @throws ClientError `invalid_options` where there is no sandbox and nobody said that there need be none */
export async function createRunCommand(options: SandboxOptions): Promise<RunCommand> {
  const { roots, sandbox, readable = [] } = options;
  if (roots.names.length === 0) throw new ClientError("invalid_options", { detail: "roots" });
  if (sandbox === "none") return (command, { signal }) => runBare(roots, command, signal);
  const walls = await wallsOf(roots, readable);
  await requireSandbox(walls);
  return async (command, { signal }) => {
    const { pinned = [] } = command;
    const cwd = await directoryOf(roots, command.cwd);
    const variables = Object.entries(command.env ?? defaultEnvironment);
    return launch(
      {
        argv: [
          ...walls,
          ...pinned.flatMap(({ path }, index) => [
            ...["--perms", "0555", "--ro-bind-data", String(index + 3), path],
          ]),
          "--clearenv",
          ...variables.flatMap(([name, value]) => ["--setenv", name, value]),
          ...["--chdir", cwd, "--"],
          ...limited,
          ...command.argv,
        ],
        cwd: "/",
        env: {},
        stdin: command.stdin ?? "",
        inputs: pinned.map(({ bytes }) => bytes),
        timeoutMs: command.timeoutMs,
      },
      signal,
    );
  };
}

/**
 * Namespaces of its own for everything, so no network and no other process; the system read-only and without anybody's
 * files, the roots writable, no capabilities, and an end with the agent's.
 */
async function wallsOf(roots: Roots, readable: readonly string[]): Promise<string[]> {
  const system = await Promise.all(
    ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"].map(asItIs),
  );
  return [
    bubblewrap,
    ...["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"],
    ...["--ro-bind", "/usr", "/usr"],
    ...system.flat(),
    ...configuration.flatMap((name) => ["--ro-bind-try", `/etc/${name}`, `/etc/${name}`]),
    ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
    ...readable.flatMap((path) => ["--ro-bind", path, path]),
    ...roots.names.flatMap((name) => {
      const directory = roots.directoryOf(name);
      return ["--bind", directory, directory];
    }),
  ];
}

/** Where `/bin` is a link into `/usr`, it is the same link inside. */
async function asItIs(path: string): Promise<string[]> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSymbolicLink()) return ["--symlink", await readlink(path), path];
  return found?.isDirectory() ? ["--ro-bind", path, path] : [];
}

/** Tried and not only looked for: containers often forbid what it needs. */
async function requireSandbox(walls: readonly string[]): Promise<void> {
  const detail =
    'commands need bubblewrap (/usr/bin/bwrap) and util-linux (/usr/bin/prlimit), or sandbox: "none"';
  try {
    await access(bubblewrap, constants.X_OK);
    const { exitCode } = await launch(
      {
        argv: [...walls, "--", ...limited, "/bin/true"],
        ...{ cwd: "/", env: {}, stdin: "", inputs: [], timeoutMs: 10_000 },
      },
      new AbortController().signal,
    );
    if (exitCode !== 0) throw new ExecutionError("not_started");
  } catch (cause) {
    throw new ClientError("invalid_options", { cause, detail });
  }
}

async function runBare(roots: Roots, command: Command, signal: AbortSignal) {
  const { argv, env = defaultEnvironment, stdin = "", timeoutMs } = command;
  const cwd = await directoryOf(roots, command.cwd);
  return launch({ argv, cwd, env, stdin, inputs: [], timeoutMs }, signal);
}

/** The real path of a folder that was reached without a link. */
export async function directoryOf(roots: Roots, path: string | undefined): Promise<string> {
  const virtual = parseVirtualPath(path ?? `vfs://${roots.names[0]}/`);
  await (await roots.openDirectory(virtual)).close();
  return [roots.directoryOf(virtual.root), ...virtual.names].join("/");
}
