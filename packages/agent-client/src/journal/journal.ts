import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { id } from "@countersign/shared";
import * as z from "zod/mini";
import { ClientError } from "../errors.js";
import { createExclusive, openPrivateDirectory, readPrivateJson } from "../home/durable-file.js";
import { thisProcess } from "./process.js";
import {
  type FinalRecord,
  type OutcomeRecord,
  outcomeRecord,
  type RequestRecord,
  requestRecord,
  type Settlement,
  settlement,
} from "./records.js";

/** All that the journal knows of one request. */
export interface JournalEntry {
  request: RequestRecord;
  settlement: Settlement | undefined;
  outcomes: OutcomeRecord[];
}

/**
 * The memory that makes one approval one execution. Every record is a file of its own, created exclusively and
 * never changed, so that of two processes one wins and a crash leaves a record whole or absent. A claim and a
 * final answer share one name: whichever is first, the other can never be.
 * A record that cannot be read refuses (`home_corrupt`); a snapshot of the disk that is restored forgets, and
 * only the broker's single redemption stands then.
 */
export interface Journal {
  /** @returns false when the rid is there already */
  add(request: RequestRecord): Promise<boolean>;
  /** @throws ClientError `home_corrupt` */
  read(rid: string): Promise<JournalEntry | undefined>;
  /** Every request that was ever asked. */
  rids(): Promise<string[]>;
  /** Whether it is used or ended. */
  isSettled(rid: string): Promise<boolean>;
  /** Takes the approval for this process. @returns false when it is used, or settled otherwise */
  claim(rid: string, claimedAt: number): Promise<boolean>;
  /** @returns false when something else settled it first */
  finish(rid: string, final: Omit<FinalRecord, "v" | "kind">): Promise<boolean>;
  /** @returns false when there is an outcome of this number */
  addOutcome(rid: string, outcome: OutcomeRecord): Promise<boolean>;
  /** Nothing more is to be sent of this outcome. */
  markDelivered(rid: string, n: number): Promise<void>;
  /** Requests that a claim or an outcome was written for. */
  used(): Promise<string[]>;
  /** Outcomes that nobody marked as delivered. */
  undelivered(entry: JournalEntry): Promise<OutcomeRecord[]>;
}

/** @throws ClientError `home_unsafe` */
export async function openJournal(home: string): Promise<Journal> {
  const directory = join(home, "journal");
  await openPrivateDirectory(directory);
  const pathOf = (rid: string, record: string) => {
    if (!z.safeParse(id, rid).success) throw new ClientError("unknown_request");
    return join(directory, `${rid}.${record}.json`);
  };

  async function readRecord<T>(schema: z.ZodMiniType<T>, rid: string, record: string) {
    const path = pathOf(rid, record);
    const stored = await readPrivateJson(path);
    if (stored === undefined) return undefined;
    const parsed = z.safeParse(schema, stored);
    if (!parsed.success) throw new ClientError("home_corrupt", { detail: path });
    return parsed.data;
  }

  async function readOutcomes(rid: string): Promise<OutcomeRecord[]> {
    const outcomes: OutcomeRecord[] = [];
    for (;;) {
      const outcome = await readRecord(outcomeRecord, rid, `outcome-${outcomes.length + 1}`);
      if (!outcome) return outcomes;
      outcomes.push(outcome);
    }
  }

  const readSettlement = (rid: string) => readRecord(settlement, rid, "settled");

  return {
    add: (request) => createExclusive(pathOf(request.rid, "request"), request),
    async read(rid) {
      const request = await readRecord(requestRecord, rid, "request");
      if (!request) return undefined;
      if (request.rid !== rid) throw new ClientError("home_corrupt", { detail: rid });
      return { request, settlement: await readSettlement(rid), outcomes: await readOutcomes(rid) };
    },
    rids: async () => (await readdir(directory)).flatMap(ridOfRequest),
    isSettled: async (rid) => (await readPrivateJson(pathOf(rid, "settled"))) !== undefined,
    async claim(rid, claimedAt) {
      const holder = await thisProcess();
      return createExclusive(pathOf(rid, "settled"), {
        v: 1,
        kind: "claim",
        holder,
        claimed_at: claimedAt,
      } satisfies Settlement);
    },
    finish: (rid, final) =>
      createExclusive(pathOf(rid, "settled"), {
        v: 1,
        kind: "final",
        ...final,
      } satisfies Settlement),
    addOutcome: (rid, outcome) => createExclusive(pathOf(rid, `outcome-${outcome.n}`), outcome),
    async markDelivered(rid, n) {
      await createExclusive(pathOf(rid, `outcome-${n}-delivered`), { v: 1 });
    },
    async used() {
      const names = await readdir(directory);
      const rids = names.flatMap((name) => /^([\w-]+)\.settled\.json$/.exec(name)?.[1] ?? []);
      const settlements = await Promise.all(rids.map(readSettlement));
      const outcomes = new Set(
        names.flatMap((name) => /^([\w-]+)\.outcome-1\.json$/.exec(name)?.[1] ?? []),
      );
      return rids.filter((rid, index) => settlements[index]?.kind === "claim" || outcomes.has(rid));
    },
    async undelivered({ request, outcomes }) {
      const waiting: OutcomeRecord[] = [];
      for (const outcome of outcomes) {
        const path = pathOf(request.rid, `outcome-${outcome.n}-delivered`);
        if ((await readPrivateJson(path)) === undefined) waiting.push(outcome);
      }
      return waiting;
    },
  };
}

const ridOfRequest = (name: string): string[] => {
  const rid = /^([\w-]+)\.request\.json$/.exec(name)?.[1];
  return rid === undefined ? [] : [rid];
};
