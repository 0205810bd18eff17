import { spawnSync } from "node:child_process";
import { access, chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Json } from "@countersign/shared";
import { describe, expect, it } from "vitest";
import { createRoots, signal } from "../fixtures/roots.js";
import { commandExecutor } from "./command-executor.js";
import { createRunCommand } from "./sandbox.js";

async function createCommands(sandbox?: "none") {
  const world = await createRoots();
  const executor = await commandExecutor({ roots: world.roots, ...(sandbox ? { sandbox } : {}) });
  return {
    ...world,
    executor,
    async run(tool: string, args: Json, aborting = signal) {
      const action = await world.actionOf(executor, tool, args);
      const { value } = await executor.execute(action, { signal: aborting });
      return value as { exit_code: number; stdout: string; stderr: string; truncated: boolean };
    },
    sh: async (command: string) => {
      const action = await world.actionOf(executor, "shell.exec", { command });
      const { value } = await executor.execute(action, { signal });
      return value as { exit_code: number; stdout: string; stderr: string };
    },
  };
}

/** Containers often have the program and forbid what it needs. */
const trial = spawnSync("/usr/bin/bwrap", ["--unshare-all", "--ro-bind", "/", "/", "/bin/true"]);

describe.skipIf(trial.status !== 0)(
  "a command in the sandbox (needs a working /usr/bin/bwrap)",
  () => {
    it("writes in the roots and nowhere else", async () => {
      const { sh, project, outside } = await createCommands();
      expect(await sh("echo hi > made && cat made")).toMatchObject({
        exit_code: 0,
        stdout: "hi\n",
      });
      expect(await readFile(join(project, "made"), "utf8")).toBe("hi\n");
      for (const target of ["/usr/x", "/etc/x", "/x", `${outside}/x`, "/root/x", "/var/x"]) {
        await sh(`mkdir -p ${target}; echo no > ${target}/file; echo no > ${target}`);
        await expect(access(target)).rejects.toThrow();
      }
    });

    it("sees nobody's files, no keys and no other process", async () => {
      const { sh, outside } = await createCommands();
      await writeFile(join(outside, "secret"), "secret");
      const { stdout } = await sh(
        `cat ${outside}/secret /etc/shadow; cd /; ls -A /root /home /var 2>/dev/null; ls -A ${outside}; ls /proc | grep -c '^[0-9]'`,
      );
      expect(stdout).not.toContain("secret");
      expect(stdout.split("\n").filter((line) => !/^\d*$/.test(line))).toEqual(["project"]);
      expect(Number(stdout.trim().split("\n").at(-1))).toBeLessThan(8);
    });

    it("has no network", async () => {
      const { run } = await createCommands();
      let connections = 0;
      const server = createServer(() => connections++).listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      const { port } = server.address() as { port: number };
      const connect = `require("net").connect(${port}, "127.0.0.1").on("connect", () => console.log("out")).on("error", (e) => console.log(e.code))`;
      const { stdout } = await run("process.run", { program: "node", args: ["-e", connect] });
      server.close();
      expect(stdout).toBe("ECONNREFUSED\n");
      expect(connections).toBe(0);
    });

    it("has the environment that was approved, and nothing of the agent's", async () => {
      const { run } = await createCommands();
      const { stdout } = await run("process.run", {
        program: "env",
        args: [],
        env: { GREETING: "hi" },
      });
      expect(stdout.trim().split("\n").sort()).toEqual([
        "GREETING=hi",
        "HOME=/tmp",
        "LANG=C.UTF-8",
        "PATH=/usr/local/bin:/usr/bin:/bin",
        expect.stringMatching(/^PWD=/),
      ]);
    });

    it("has an end of memory and processes, which it cannot raise", async () => {
      const { sh, run } = await createCommands();
      const { stdout } = await sh(
        "cat /proc/self/limits; ulimit -d unlimited 2>/dev/null || echo no",
      );
      expect(stdout).toMatch(/^Max data size +4294967296 +4294967296 /m);
      expect(stdout).toMatch(/^Max processes +1024 +1024 /m);
      expect(stdout).toMatch(/^Max core file size +0 +0 /m);
      expect(stdout).toMatch(/no\n$/);
      // Asked for and never touched: the machine that tests has it not to give.
      const take = `const all = []; try { while (all.length < 6) all.push(new ArrayBuffer(2 ** 30)); console.log("all of it"); } catch { console.log("no more"); }`;
      expect(await run("process.run", { program: "node", args: ["-e", take] })).toMatchObject({
        stdout: "no more\n",
      });
    });

    it("has no capabilities and gets none", async () => {
      const { sh } = await createCommands();
      const { stdout } = await sh("grep -E '^(CapEff|NoNewPrivs)' /proc/self/status");
      expect(stdout).toMatch(/CapEff:\s+0+\n/);
      expect(stdout).toMatch(/NoNewPrivs:\s+1\n/);
    });

    it("runs a program of the project as it was approved, whatever became of the file", async () => {
      const { executor, actionOf, project } = await createCommands();
      const path = join(project, "deploy.sh");
      const waiting = "while [ ! -e flipped ]; do sleep 0.05; done";
      await writeFile(path, `#!/bin/sh\ntouch started; ${waiting}; echo approved\n`);
      await chmod(path, 0o755);
      const args = { program: "./deploy.sh", args: [] };
      const action = await actionOf(executor, "process.run", args);
      expect(action.preconditions).toMatchObject([
        { kind: "file", subject: "vfs://project/deploy.sh" },
      ]);
      const running = executor.execute(action, { signal });
      await expect.poll(() => readdir(project)).toContain("started");
      await writeFile(path, "#!/bin/sh\necho flipped\n");
      await writeFile(join(project, "flipped"), "");
      expect((await running).value).toMatchObject({ stdout: "approved\n" });
      await expect(executor.execute(action, { signal })).rejects.toMatchObject({
        code: "precondition_changed",
      });
    });
  },
);

describe("a command", () => {
  it("says of itself how it is run, and where", async () => {
    const { executor, project } = await createCommands("none");
    const call = { tool: "shell.exec", args: { command: "ls | wc" } };
    const described = await executor.describe(call, { signal });
    expect(described).toMatchObject({
      family: "execute",
      resource: {
        type: "Command",
        attributes: { command: "ls | wc", cwd: project, sandboxed: false, network: true },
      },
      context: { in_sandbox: false, network: true },
      proposal: { cwd: project, env: { HOME: "/tmp" }, reversible: false },
    });
    const run = { tool: "process.run", args: { program: "ls", args: ["-l"] } };
    const { resource } = await executor.describe(run, { signal });
    expect(resource.attributes).toMatchObject({ argv: '["ls","-l"]' });
    expect(executor.changes(run)).toEqual(["vfs://project/"]);
  });

  it("gives back what it wrote, cut at a bound, and how it ended", async () => {
    const { run } = await createCommands("none");
    expect(await run("shell.exec", { command: "cat; echo err >&2; exit 3", stdin: "in" })).toEqual({
      ...{ exit_code: 3, stdout: "in", stderr: "err\n", truncated: false },
    });
    const flood = await run("shell.exec", { command: "head -c 3000000 /dev/zero | tr '\\0' x" });
    expect(flood).toMatchObject({ exit_code: 0, truncated: true });
    expect(flood.stdout).toHaveLength(256 * 1024);
  });

  it("ends with all that it started when its time is over or it is aborted", async () => {
    const { run, project } = await createCommands("none");
    const command = "(while :; do echo x >> ticks; sleep 0.05; done) & sleep 60";
    const ticks = async () =>
      (await readFile(join(project, "ticks"), "utf8").catch(() => "")).length;
    const timed = run("shell.exec", { command, timeout_ms: 1500 });
    await expect(timed).rejects.toMatchObject({ code: "timeout" });
    const before = await ticks();
    expect(before).toBeGreaterThan(0);
    const aborting = new AbortController();
    const aborted = run("shell.exec", { command }, aborting.signal);
    aborted.catch(() => {});
    await expect.poll(ticks).toBeGreaterThan(before);
    aborting.abort();
    await expect(aborted).rejects.toMatchObject({ code: "aborted" });
    const size = await ticks();
    await sleep(400);
    expect(await ticks()).toBe(size);
  });

  it("is over in time, whatever left its group and holds its output open", async () => {
    const { run } = await createCommands("none");
    const timed = run("shell.exec", { command: "setsid sleep 20 & sleep 20", timeout_ms: 500 });
    await expect(timed).rejects.toMatchObject({ code: "timeout" });
  }, 15_000);

  it("waits for nothing that it left in the background", async () => {
    const { run } = await createCommands("none");
    expect(await run("shell.exec", { command: "sleep 60 & echo done" })).toMatchObject({
      stdout: "done\n",
    });
  });

  it("is not started where it is not there, or its folder is a way out", async () => {
    const { run, executor, project } = await createCommands("none");
    const missing = run("process.run", { program: "no-such-program", args: [] });
    await expect(missing).rejects.toMatchObject({ code: "not_started" });
    await mkdir(join(project, "sub"));
    for (const cwd of ["vfs://project/../", "/", "vfs://project/missing"]) {
      const call = { tool: "shell.exec", args: { command: "pwd", cwd } };
      await expect(executor.describe(call, { signal })).rejects.toMatchObject({
        name: "InvalidCall",
      });
    }
    const { stdout } = await run("shell.exec", { command: "pwd", cwd: "vfs://project/sub" });
    expect(stdout).toBe(`${join(project, "sub")}\n`);
  });

  it("is refused where its arguments are not a command's", async () => {
    const { executor } = await createCommands("none");
    for (const [tool, args] of [
      ["shell.exec", { command: "" }],
      ["shell.exec", { command: "a\0b" }],
      ["shell.exec", { command: "ls", env: { "LD PRELOAD": "x" } }],
      ["shell.exec", { command: "ls", more: 1 }],
      ["process.run", { program: "ls", args: "-l /" }],
    ] as [string, Json][]) {
      await expect(executor.describe({ tool, args }, { signal })).rejects.toMatchObject({
        code: "arguments_invalid",
      });
    }
  });

  it("is not run at all without a sandbox, unless somebody said so", async () => {
    const { roots, project } = await createRoots();
    const nowhere = { ...roots, directoryOf: () => join(project, "missing") };
    await expect(createRunCommand({ roots: nowhere })).rejects.toMatchObject({
      code: "invalid_options",
    });
    expect(await readdir(project)).toEqual([]);
  });
});
