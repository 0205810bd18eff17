import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Action, bytes32, canonicalBytes, numericDate, sha256Text } from "@countersign/shared";
import * as z from "zod/mini";
import { type Clock, toNumericDate } from "../clock.js";
import { ClientError } from "../errors.js";
import {
  openPrivateDirectory,
  readPrivateJson,
  removeFile,
  replaceFile,
} from "../home/durable-file.js";

const record = z.strictObject({ v: z.literal(1), until: numericDate });

/** Whoever said no so often within this time to one tool is not asked about it by this session until it is over. */
const manyDenials = 3;
const manyWithinMs = 600_000;

/**
 * What was refused, for a while: the same thing is not asked again because a model asks again. It outlives the
 * process, or a restart would be a way to ask until somebody is tired.
 */
export async function openDenials(home: string, clock: Clock, rememberSeconds: number) {
  const directory = join(home, "denials");
  await openPrivateDirectory(directory);
  const until = await readAll(directory, toNumericDate(clock.now()));
  const said: { tool: string; atMs: number }[] = [];
  return {
    isDenied(action: Action): boolean {
      const end = until.size === 0 ? undefined : until.get(actionHash(action));
      return end !== undefined && toNumericDate(clock.now()) < end;
    },
    async remember(action: Action): Promise<void> {
      const hash = actionHash(action);
      said.push({ tool: action.tool, atMs: clock.monotonic() });
      const end = toNumericDate(clock.now()) + rememberSeconds;
      until.set(hash, end);
      await replaceFile(join(directory, `${hash}.json`), { v: 1, until: end });
    },
    /** Refusals of this session. */
    count: () => said.length,
    /** The same thing can be spelled in many ways: of too many refusals of one tool the person is to have their peace. */
    areMany(tool: string): boolean {
      const since = clock.monotonic() - manyWithinMs;
      return said.filter((no) => no.tool === tool && no.atMs > since).length >= manyDenials;
    },
  };
}

export type Denials = Awaited<ReturnType<typeof openDenials>>;

/** The thing itself, however it is explained, pictured or undone. */
const actionHash = ({ tool, args, cwd, env }: Action): string =>
  sha256Text(
    canonicalBytes({
      tool,
      args,
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
    }),
  );

async function readAll(directory: string, now: number): Promise<Map<string, number>> {
  const until = new Map<string, number>();
  for (const name of await readdir(directory)) {
    const hash = name.replace(/\.json$/, "");
    if (name === hash || !z.safeParse(bytes32, hash).success) continue;
    const path = join(directory, name);
    const stored = await readPrivateJson(path);
    // Another process may have forgotten it in this moment.
    if (stored === undefined) continue;
    const parsed = z.safeParse(record, stored);
    if (!parsed.success) throw new ClientError("home_corrupt", { detail: path });
    if (parsed.data.until > now) until.set(hash, parsed.data.until);
    else await removeFile(path);
  }
  return until;
}
