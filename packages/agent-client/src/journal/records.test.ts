import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { randomId, randomNonce } from "@countersign/shared";
import { describe, expect, it } from "vitest";
import { createHome } from "../fixtures/agent.js";
import { openJournal } from "./journal.js";
import type { FinalRecord, OutcomeRecord, RequestRecord } from "./records.js";

async function createJournal() {
  const home = await createHome();
  const journal = await openJournal(home);
  const place = (name: string, content: unknown) =>
    writeFile(join(home, "journal", name), JSON.stringify(content), { mode: 0o600 });
  return { home, journal, place };
}

const requestOf = (rid = randomId()): RequestRecord => ({
  v: 1,
  rid,
  manifest: "AAAA",
  request: "a.b.c",
  req_nonce: randomNonce(),
});
const outcomeOf = (n: number): OutcomeRecord => ({
  v: 1,
  n,
  status: "failed",
  code: "precondition_changed",
  outcome: "a.b.c",
});
const statuses: FinalRecord["status"][] = [
  "denied",
  "frozen",
  "expired",
  "canceled",
  "unreachable",
  "integrity_mismatch",
];

describe("what was written is what is read", () => {
  it("of a request, once, and of none that was never asked", async () => {
    const { journal } = await createJournal();
    const request = requestOf();
    expect(await journal.read(request.rid)).toBeUndefined();
    expect(await journal.add(request)).toBe(true);
    expect(await journal.add({ ...request, manifest: "BBBB" })).toBe(false);
    expect(await journal.isSettled(request.rid)).toBe(false);
    const entry = { request, settlement: undefined, outcomes: [] };
    expect(await journal.read(request.rid)).toEqual(entry);
  });

  it("of a claim, with who holds it and since when", async () => {
    const { journal } = await createJournal();
    const request = requestOf();
    await journal.add(request);
    await journal.claim(request.rid, 1_800_000_000);
    expect(await journal.isSettled(request.rid)).toBe(true);
    expect((await journal.read(request.rid))?.settlement).toMatchObject({
      v: 1,
      kind: "claim",
      holder: { pid: process.pid },
      claimed_at: 1_800_000_000,
    });
  });

  it.each(statuses)("of an answer that opens no effect: %s", async (status) => {
    const { journal } = await createJournal();
    const request = requestOf();
    await journal.add(request);
    const final = { status, code: "why", approver: randomId(), reason: "no", settled_at: 1 };
    expect(await journal.finish(request.rid, final)).toBe(true);
    expect((await journal.read(request.rid))?.settlement).toEqual({
      v: 1,
      kind: "final",
      ...final,
    });
  });

  it("of outcomes, in their order, each number once", async () => {
    const { journal } = await createJournal();
    const request = requestOf();
    await journal.add(request);
    expect(await journal.addOutcome(request.rid, outcomeOf(1))).toBe(true);
    expect(await journal.addOutcome(request.rid, outcomeOf(2))).toBe(true);
    expect(await journal.addOutcome(request.rid, { ...outcomeOf(2), code: "other" })).toBe(false);
    const entry = await journal.read(request.rid);
    expect(entry?.outcomes).toEqual([outcomeOf(1), outcomeOf(2)]);
    await journal.markDelivered(request.rid, 1);
    await journal.markDelivered(request.rid, 1);
    expect(entry && (await journal.undelivered(entry))).toEqual([outcomeOf(2)]);
  });
});

describe("what is not as it was written is read by nobody", () => {
  it.each<[string, string, (rid: string) => object]>([
    ["a request of another version", "request", (rid) => ({ ...requestOf(rid), v: 2 })],
    ["a request with a member more", "request", (rid) => ({ ...requestOf(rid), extra: 1 })],
    ["another request", "request", () => requestOf()],
    ["a request of nothing", "request", () => ({})],
    ["a settlement of no kind", "settled", () => ({ v: 1, settled_at: 1, status: "denied" })],
    ["an approval", "settled", () => final({ status: "approved" })],
    ["an answer of another version", "settled", () => final({ v: 2 })],
    ["an answer with a member more", "settled", () => final({ extra: 1 })],
    ["a claim by nobody", "settled", () => claim({ holder: {} })],
    ["a claim by a process of no id", "settled", () => claim({ holder: { pid: 0 } })],
    ["a claim by a group", "settled", () => claim({ holder: { pid: 1, group: 1 } })],
    ["a claim of another version", "settled", () => claim({ v: 2 })],
    ["a claim with a member more", "settled", () => claim({ extra: 1 })],
    ["an outcome of another version", "outcome-1", () => ({ ...outcomeOf(1), v: 2 })],
    ["an outcome of no number", "outcome-1", () => ({ ...outcomeOf(1), n: 0 })],
    ["an outcome of no known status", "outcome-1", () => ({ ...outcomeOf(1), status: "done" })],
    ["an outcome with a member more", "outcome-1", () => ({ ...outcomeOf(1), extra: 1 })],
  ])("%s", async (_what, record, content) => {
    const { journal, place } = await createJournal();
    const request = requestOf();
    if (record !== "request") await journal.add(request);
    await place(`${request.rid}.${record}.json`, content(request.rid));
    await expect(journal.read(request.rid)).rejects.toMatchObject({
      code: "home_corrupt",
      detail: expect.stringContaining(request.rid),
    });
  });

  it("an id that is none, and might lead elsewhere", async () => {
    const { journal } = await createJournal();
    for (const rid of ["../agent-key", "", "a/b", `${randomId()}.`]) {
      await expect(journal.read(rid)).rejects.toMatchObject({ code: "unknown_request" });
    }
  });

  const final = (change: object) => ({
    ...{ v: 1, kind: "final", status: "denied", settled_at: 1 },
    ...change,
  });
  const claim = (change: object) => ({
    ...{ v: 1, kind: "claim", holder: { pid: 1 }, claimed_at: 1 },
    ...change,
  });
});

describe("of all files in the journal", () => {
  it("the requests are those that were asked, by their whole names", async () => {
    const { journal, place } = await createJournal();
    const [asked, also] = [requestOf(), requestOf("-_AAAAAAAAAAAAAAAAAAAA")];
    await journal.add(asked);
    await journal.add(also);
    await journal.claim(randomId(), 1);
    await journal.addOutcome(randomId(), outcomeOf(1));
    for (const name of ["request.json", "a b.request.json", `${randomId()}.request.json.old`]) {
      await place(name, {});
    }
    expect((await journal.rids()).sort()).toEqual([asked.rid, also.rid].sort());
  });

  it("a request is used by a claim or an outcome, and not by a no", async () => {
    const { journal, place } = await createJournal();
    const [claimed, denied, ended] = ["-_AAAAAAAAAAAAAAAAAAAA", randomId(), randomId()];
    const no = { status: "denied", settled_at: 1 } as const;
    await journal.claim(claimed, 1);
    await journal.finish(denied, no);
    await journal.finish(ended, no);
    await journal.addOutcome(ended, outcomeOf(1));
    const other = randomId();
    await journal.addOutcome(other, outcomeOf(1));
    await place(`${other}.settled.json.old`, no);
    await place(`a ${other}.settled.json`, no);
    await place(`a ${denied}.outcome-1.json`, outcomeOf(1));
    await place(`${denied}.outcome-1.json.old`, outcomeOf(1));
    await place(`${denied}.outcome-1-delivered.json`, { v: 1 });
    expect((await journal.used()).sort()).toEqual([claimed, ended].sort());
  });
});
