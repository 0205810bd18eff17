import { join } from "node:path";
import { id, sha256Text, utf8 } from "@countersign/shared";
import * as z from "zod/mini";
import { ClientError } from "../errors.js";
import {
  createExclusive,
  openPrivateDirectory,
  readPrivateJson,
  replaceFile,
} from "../home/durable-file.js";

const record = z.strictObject({ v: z.literal(1), call: z.string(), rid: id });

/** A request that was made for a key, by this process or one before it. */
export interface KeyedRequest {
  call: string;
  rid: string;
}

/**
 * Which request was made under which key, so that a call that is repeated, after a crash too, goes on with its
 * request instead of asking anew. Only what a person is asked for is written down.
 */
export async function openKeys(home: string) {
  const directory = join(home, "keys");
  await openPrivateDirectory(directory);
  const pathOf = (key: string) => join(directory, `${sha256Text(utf8(key))}.json`);
  return {
    /** @throws ClientError `home_corrupt` */
    async find(key: string): Promise<KeyedRequest | undefined> {
      const stored = await readPrivateJson(pathOf(key));
      if (stored === undefined) return undefined;
      const parsed = z.safeParse(record, stored);
      if (!parsed.success) throw new ClientError("home_corrupt", { detail: pathOf(key) });
      return parsed.data;
    },
    /** @returns false when another process was first */
    add: (key: string, { call, rid }: KeyedRequest) =>
      createExclusive(pathOf(key), { v: 1, call, rid }),
    /** The same call asked for again, because the world had changed. */
    replace: (key: string, { call, rid }: KeyedRequest) =>
      replaceFile(pathOf(key), { v: 1, call, rid }),
  };
}

export type Keys = Awaited<ReturnType<typeof openKeys>>;
