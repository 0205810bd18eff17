import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { randomId } from "@countersign/shared";
import * as z from "zod/mini";
import { ClientError } from "../errors.js";
import { createExclusive, openPrivateDirectory, readPrivateJson } from "../home/durable-file.js";
import { isRunning, thisProcess } from "../journal/process.js";
import {
  type BeforeRecord,
  beforeRecord,
  type EndedRecord,
  endedRecord,
  type Holder,
  type OpenedRecord,
  openedRecord,
  recoveryRecord,
} from "./records.js";

/** All that is known of one transaction. */
export interface TransactionEntry {
  opened: OpenedRecord;
  before: BeforeRecord | undefined;
  ended: EndedRecord | undefined;
}

/**
 * Transactions in the order in which they were opened, one open at a time: number n + 1 is opened once n has ended,
 * by an exclusive create, so of two processes one is first. As in the journal, every record is a file that never
 * changes.
 */
export interface TransactionLog {
  /** The number of the last one; 0 when there is none. */
  last(): Promise<number>;
  /** @throws ClientError `home_corrupt` */
  read(n: number): Promise<TransactionEntry>;
  /** @returns false when that number is taken */
  open(record: Omit<OpenedRecord, "v" | "holder">): Promise<boolean>;
  addBefore(n: number, before: Omit<BeforeRecord, "v">): Promise<void>;
  /** @returns false when it has ended */
  end(n: number, ended: EndedRecord): Promise<boolean>;
  /** Takes the part of ending what a crash left. @returns false while somebody is at work on it */
  takeOver(n: number): Promise<boolean>;
  /** This process does no more about it: what it has not ended is anybody's to take over. */
  letGo(n: number): void;
}

/** Calls of this very process: what one of them has let go of is held by nobody. */
const calls = new Set<string>();

/** @throws ClientError `home_unsafe` */
export async function openTransactionLog(home: string): Promise<TransactionLog> {
  const directory = join(home, "transactions");
  await openPrivateDirectory(directory);
  const held = new Map<number, string>();
  const pathOf = (n: number, record: string) => join(directory, `${n}.${record}.json`);

  async function read<T>(schema: z.ZodMiniType<T>, n: number, record: string) {
    const path = pathOf(n, record);
    const stored = await readPrivateJson(path);
    if (stored === undefined) return undefined;
    const parsed = z.safeParse(schema, stored);
    if (!parsed.success) throw new ClientError("home_corrupt", { detail: path });
    return parsed.data;
  }

  /** Whoever opened it, or the last of those that took it over; and how many did. */
  async function holderOf(n: number): Promise<{ holder: Holder; takeOvers: number }> {
    const opened = await read(openedRecord, n, "opened");
    if (!opened) throw new ClientError("home_corrupt", { detail: pathOf(n, "opened") });
    let { holder } = opened;
    for (let takeOvers = 0; ; takeOvers++) {
      const next = await read(recoveryRecord, n, `recovery-${takeOvers + 1}`);
      if (!next) return { holder, takeOvers };
      holder = next.holder;
    }
  }

  /** Known as a call of this process before anybody can read of it. */
  async function hold(n: number, write: (holder: Holder) => Promise<boolean>): Promise<boolean> {
    const call = randomId();
    calls.add(call);
    let mine = false;
    try {
      mine = await write({ process: await thisProcess(), call });
    } finally {
      if (mine) held.set(n, call);
      else calls.delete(call);
    }
    return mine;
  }

  return {
    async last() {
      const names = await readdir(directory);
      const numbers = names.map((name) => Number(/^(\d+)\.opened\.json$/.exec(name)?.[1] ?? 0));
      return numbers.reduce((most, n) => Math.max(most, n), 0);
    },
    async read(n) {
      const opened = await read(openedRecord, n, "opened");
      if (opened?.n !== n) throw new ClientError("home_corrupt", { detail: pathOf(n, "opened") });
      const before = await read(beforeRecord, n, "before");
      return { opened, before, ended: await read(endedRecord, n, "ended") };
    },
    open: (record) =>
      hold(record.n, (holder) =>
        createExclusive(pathOf(record.n, "opened"), {
          v: 1,
          ...record,
          holder,
        } satisfies OpenedRecord),
      ),
    async addBefore(n, before) {
      await createExclusive(pathOf(n, "before"), { v: 1, ...before } satisfies BeforeRecord);
    },
    async end(n, ended) {
      return createExclusive(pathOf(n, "ended"), ended);
    },
    async takeOver(n) {
      const { holder, takeOvers } = await holderOf(n);
      const { pid } = holder.process;
      if (pid === process.pid ? calls.has(holder.call) : await isRunning(holder.process))
        return false;
      const path = pathOf(n, `recovery-${takeOvers + 1}`);
      return hold(n, (next) => createExclusive(path, { v: 1, holder: next }));
    },
    letGo(n) {
      calls.delete(held.get(n) ?? "");
      held.delete(n);
    },
  };
}
