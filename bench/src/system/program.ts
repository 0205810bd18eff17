import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { typescriptOptions } from "../load/start.js";

export interface Program {
  pid: number;
  child: ChildProcess;
  stop(): Promise<void>;
}

/** Starts one of our TypeScript files as a process of its own, and waits until it says that it is ready. */
export async function startProgram(path: string, ...given: unknown[]): Promise<Program> {
  const file = fileURLToPath(new URL(path, new URL("../", import.meta.url)));
  const words = given.map((value) => JSON.stringify(value));
  const child = spawn(process.execPath, ["--expose-gc", ...typescriptOptions, file, ...words], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    env: { PATH: "/usr/bin:/bin", NODE_ENV: "production", NODE_NO_WARNINGS: "1" },
  });
  // What is sent to one that has gone fails the row, by its time, and not the whole run.
  child.on("error", () => undefined);
  const exited = once(child, "exit");
  await Promise.race([
    once(child.stdout as NodeJS.ReadableStream, "data"),
    exited.then(() => Promise.reject(new Error(`${path} ended before it was ready`))),
  ]);
  child.stdout?.resume();
  return {
    pid: child.pid ?? 0,
    child,
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
