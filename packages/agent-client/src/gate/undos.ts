import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Action, action, id as idSchema, type Json, json } from "@countersign/shared";
import * as z from "zod/mini";
import { ClientError } from "../errors.js";
import { createExclusive, openPrivateDirectory, readPrivateJson } from "../home/durable-file.js";

const record = z.strictObject({
  v: z.literal(1),
  id: idSchema,
  rid: z.optional(idSchema),
  action,
  undo: json,
});

/** What an execution left behind for taking it back. */
export interface Undoable {
  id: string;
  rid?: string | undefined;
  action: Action;
  undo: Json;
}

/** Kept on disk, one file each: an undo must be there after a crash. */
export async function openUndos(home: string) {
  const directory = join(home, "undo");
  await openPrivateDirectory(directory);
  const read = async (id: string): Promise<Undoable | undefined> => {
    const path = join(directory, `${id}.json`);
    const stored = await readPrivateJson(path);
    if (stored === undefined) return undefined;
    const parsed = z.safeParse(record, stored);
    if (!parsed.success) throw new ClientError("home_corrupt", { detail: path });
    return parsed.data;
  };
  return {
    keep: ({ id, rid, action: done, undo }: Undoable) =>
      createExclusive(join(directory, `${id}.json`), {
        v: 1,
        id,
        ...(rid === undefined ? {} : { rid }),
        action: done,
        undo,
      }),
    /** @param which a decision's id or a request's */
    async find(which: string): Promise<Undoable | undefined> {
      if (!z.safeParse(idSchema, which).success) return undefined;
      const byId = await read(which);
      if (byId) return byId;
      for (const name of await readdir(directory)) {
        const id = /^([A-Za-z0-9_-]+)\.json$/.exec(name)?.[1];
        const found = id === undefined ? undefined : await read(id);
        if (found?.rid === which) return found;
      }
      return undefined;
    },
    isDone: async (id: string) =>
      (await readPrivateJson(join(directory, `${id}.done.json`))) !== undefined,
    markDone: (id: string) => createExclusive(join(directory, `${id}.done.json`), { v: 1 }),
  };
}

export type Undos = Awaited<ReturnType<typeof openUndos>>;
