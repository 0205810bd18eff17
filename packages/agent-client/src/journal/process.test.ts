import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createHome } from "../fixtures/agent.js";
import { isRunning, thisProcess } from "./process.js";

/** A program of this name that does nothing until it is killed. */
async function startAs(name: string): Promise<ChildProcess> {
  const program = join(await createHome(), name);
  symlinkSync(process.execPath, program);
  const child = spawn(program, ["-e", "process.stdout.write('.'); setInterval(() => {}, 1000)"]);
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

const boot = () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 36);
/** Counted from the end, where no program's name gets in the way: of 52 fields the 22nd. */
const startOf = (pid: number) =>
  readFileSync(`/proc/${pid}/stat`, "utf8").trim().split(" ").at(-31);

describe.skipIf(process.platform !== "linux")("the holder of a claim", () => {
  it("is named by id, start and boot", async () => {
    const { pid } = process;
    expect(await thisProcess()).toEqual({ pid, started: startOf(pid), boot: boot() });
    expect(await isRunning(await thisProcess())).toBe(true);
  });

  it.each(["node", "a) R 1 (b", "sp ace"])(
    "runs until it ends, whatever its program is called: %s",
    async (name) => {
      const child = await startAs(name);
      const pid = child.pid as number;
      const holder = { pid, started: startOf(pid), boot: boot() };
      expect(await isRunning(holder)).toBe(true);
      await end(child);
      expect(await isRunning(holder)).toBe(false);
    },
  );

  it("is not another process of the same id, in this boot or another", async () => {
    const holder = await thisProcess();
    expect(await isRunning({ ...holder, started: `${holder.started}0` })).toBe(false);
    expect(await isRunning({ ...holder, boot: "another" })).toBe(false);
    expect(await isRunning({ pid: holder.pid })).toBe(false);
  });

  it("counts by its id alone where nobody knows when it started", async () => {
    expect(await isRunning({ pid: process.pid, boot: boot() })).toBe(true);
    const child = await startAs("node");
    const holder = { pid: child.pid as number, boot: boot() };
    expect(await isRunning(holder)).toBe(true);
    await end(child);
    expect(await isRunning(holder)).toBe(false);
  });

  it("runs when it is somebody else's", async () => {
    const refused = Object.assign(new Error("not yours"), { code: "EPERM" });
    const kill = vi.spyOn(process, "kill").mockImplementation(() => {
      throw refused;
    });
    onTestFinished(() => kill.mockRestore());
    expect(await isRunning({ pid: process.pid, boot: boot() })).toBe(true);
  });
});
