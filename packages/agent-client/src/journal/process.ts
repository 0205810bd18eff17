import { readFile } from "node:fs/promises";
import { label } from "@countersign/shared";
import * as z from "zod/mini";

/**
 * Who holds a claim. A process id alone is used again after a crash: start time and boot id tell the two apart.
 * Both come from /proc (Linux). Elsewhere they are absent and only the id counts, so a crash may look like a
 * process at work for as long as another one has its id: that errs towards not executing.
 */
export const processIdentity = z.strictObject({
  pid: z.int().check(z.positive()),
  started: z.optional(label(32)),
  boot: z.optional(label(64)),
});
export type ProcessIdentity = z.infer<typeof processIdentity>;

export async function thisProcess(): Promise<ProcessIdentity> {
  const [started, boot] = await Promise.all([startTime(process.pid), bootId()]);
  return { pid: process.pid, started, boot };
}

/** Is the very process that wrote this still there? */
export async function isRunning(holder: ProcessIdentity): Promise<boolean> {
  if (holder.boot !== (await bootId())) return false;
  if (holder.started !== undefined) return holder.started === (await startTime(holder.pid));
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    // EPERM: there is one, and it is somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Field 22 of /proc/<pid>/stat, in clock ticks since boot; the command's name (field 2) may hold anything. */
async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readProc(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

const bootId = (): Promise<string | undefined> => readProc("/proc/sys/kernel/random/boot_id");

const readProc = (path: string): Promise<string | undefined> =>
  readFile(path, "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
