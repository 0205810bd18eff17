import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Checkpoint, sha256Text, utf8, verifyCheckpoint } from "@countersign/shared";
import * as z from "zod/mini";
import { ClientError } from "../errors.js";
import { createExclusive, openPrivateDirectory, readPrivateJson } from "./durable-file.js";

const remembered = z.strictObject({ v: z.literal(1), note: z.string() });

const conflict = z.strictObject({
  v: z.literal(1),
  code: z.enum(["log_fork", "log_rolled_back"]),
  /** What this agent knew of the log, and what contradicts it: signed notes, to be shown to anybody. */
  remembered: z.string(),
  shown: z.string(),
});
export type LogConflict = Omit<z.infer<typeof conflict>, "v">;

/**
 * What this agent saw of the broker's log. A checkpoint is a file of its own: two processes that were shown different
 * trees write different files, and each meets the other's.
 */
export interface LogMemory {
  /** @throws ClientError `home_corrupt` */
  checkpoints(logKey: string): Promise<Checkpoint[]>;
  keep(checkpoint: Checkpoint): Promise<void>;
  /** Lets go of checkpoints that a kept one was shown to continue. */
  drop(checkpoints: readonly Checkpoint[]): Promise<void>;
  /** Why this agent trusts its log no more, from the first contradiction on. */
  conflict(): Promise<LogConflict | undefined>;
  stop(conflict: LogConflict): Promise<void>;
  /** For an agent that nobody is paired with any more: the next pairing begins anew. */
  forget(): Promise<void>;
}

export async function openLogMemory(home: string): Promise<LogMemory> {
  const directory = join(home, "log");
  await openPrivateDirectory(directory);
  const conflictPath = join(directory, "conflict.json");
  const pathOf = ({ size, note }: Checkpoint): string =>
    join(directory, `${size}.${sha256Text(utf8(note))}.json`);

  async function read(path: string, logKey: string): Promise<Checkpoint | undefined> {
    const stored = await readPrivateJson(path);
    // Another process may have dropped it in this moment.
    if (stored === undefined) return undefined;
    try {
      return await verifyCheckpoint(z.parse(remembered, stored).note, logKey);
    } catch (cause) {
      throw new ClientError("home_corrupt", { cause, detail: path });
    }
  }

  return {
    async checkpoints(logKey) {
      const names = (await readdir(directory)).filter((name) => /^\d+\./.test(name));
      const found = await Promise.all(names.map((name) => read(join(directory, name), logKey)));
      return found.filter((each) => each !== undefined);
    },
    async keep(checkpoint) {
      await createExclusive(pathOf(checkpoint), { v: 1, note: checkpoint.note });
    },
    async drop(checkpoints) {
      for (const each of checkpoints) await rm(pathOf(each), { force: true });
    },
    async conflict() {
      const stored = await readPrivateJson(conflictPath);
      if (stored === undefined) return undefined;
      const parsed = z.safeParse(conflict, stored);
      if (!parsed.success) throw new ClientError("home_corrupt", { detail: conflictPath });
      const { v: _, ...known } = parsed.data;
      return known;
    },
    async stop(given) {
      await createExclusive(conflictPath, { v: 1, ...given });
    },
    async forget() {
      for (const name of await readdir(directory)) await rm(join(directory, name), { force: true });
    },
  };
}
