import {
  appendEntries,
  edgeRoot,
  emptyRoot,
  fromBase64url,
  toBase64url,
} from "@countersign/shared";
import type { Database } from "../db/client.js";
import { moveHead, readNews, settleHead } from "../db/log.js";
import { limits } from "../domain/limits.js";
import type { Sequencer } from "../domain/ports.js";

// Commits are never serialised: leaves go in with their changes, in any order and at any time. What stands in line is
// one small statement for a whole batch of them, here.

/** What one move of the head put into the tree, in its order. */
interface Batch {
  start: number;
  entries: readonly Uint8Array[];
  /** The requests whose approvals are among it. */
  rids: readonly string[];
}

/**
 * @param tell hears of each batch as soon as it is in the tree
 */
export async function createSequencer(
  db: Database,
  tell: (batch: Batch) => void,
): Promise<Sequencer> {
  await settleHead(db, { size: 0, root: toBase64url(emptyRoot()) });
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    running = sequenceAll(db, tell).finally(() => {
      running = undefined;
    });
    return running;
  };
  return {
    run() {
      if (!running) return begin();
      // What runs may have read before the caller's leaf was there: whoever comes meanwhile shares the run after it.
      next ??= running
        .catch(() => {})
        .then(() => {
          next = undefined;
          return begin();
        });
      return next;
    },
  };
}

/** Until what was there at the call is in the tree. A batch that another broker was faster with is read anew. */
async function sequenceAll(db: Database, tell: (batch: Batch) => void): Promise<void> {
  for (;;) {
    const { head, edge, news } = await readNews(db, limits.leavesPerBatch);
    if (news.length === 0) return;
    const entries = news.map(({ entry }) => fromBase64url(entry));
    const appended = appendEntries(edge, entries);
    const to = { ...appended.edge, root: toBase64url(edgeRoot(appended.edge)) };
    const moved = await moveHead(db, { from: head, to, news, filled: appended.filled });
    if (!moved) continue;
    tell({ start: head.size, entries, rids: moved.rids });
    // All that was committed before the read was in it, unless it was more than a batch.
    if (news.length < limits.leavesPerBatch) return;
  }
}
