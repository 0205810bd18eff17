import { type Checkpoint, signCheckpoint } from "@countersign/shared";
import type { Database } from "../db/client.js";
import { readHead } from "../db/log.js";
import type { LogKey } from "../domain/ports.js";

/**
 * The signed head of the log. It is signed as it is asked for: only what the database already holds for good can be
 * signed so, and every broker gives the same note, since Ed25519 is deterministic.
 */
export async function currentCheckpoint(db: Database, key: LogKey): Promise<Checkpoint> {
  const head = await readHead(db);
  return { ...head, note: await signCheckpoint(head, key) };
}
