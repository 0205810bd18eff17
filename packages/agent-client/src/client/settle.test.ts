import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fromBase64url, fromUtf8 } from "@countersign/shared";
import { describe, expect, it } from "vitest";
import { createPaired } from "../fixtures/agent.js";
import { openJournal } from "../journal/journal.js";
import type { FinalRecord, OutcomeRecord } from "../journal/records.js";

/** A request of an agent, and the hands of another process in its journal. */
async function createAsked() {
  const logged: unknown[][] = [];
  const write = (...entry: unknown[]) => void logged.push(entry);
  const paired = await createPaired({ logger: { info: write, warn: write } });
  const { rid, held } = await paired.ask();
  const journal = await openJournal(paired.home);
  const place = (record: string, content: object) =>
    writeFile(join(paired.home, "journal", `${rid}.${record}.json`), JSON.stringify(content), {
      mode: 0o600,
    });
  /** A process that claimed this request and is no more. */
  const crashed = () =>
    place("settled", { v: 1, kind: "claim", holder: { pid: 1, boot: "before" }, claimed_at: 1234 });
  return { ...paired, rid, held, journal, place, crashed, logged };
}

const outcomeOf = (more: Partial<OutcomeRecord>): OutcomeRecord => ({
  ...{ v: 1, n: 1, status: "succeeded", outcome: "a.b.c" },
  ...more,
});

describe("what another process made of a request is the answer", () => {
  it.each<[Omit<FinalRecord, "v" | "kind" | "settled_at">, object]>([
    [{ status: "expired" }, {}],
    [{ status: "canceled" }, {}],
    [{ status: "unreachable", code: "clock_skew" }, { code: "clock_skew" }],
    [{ status: "denied", approver: "A".repeat(22), reason: "no" }, { reason: "no" }],
    [{ status: "frozen", approver: "A".repeat(22) }, { approver: "A".repeat(22) }],
    [
      { status: "integrity_mismatch", code: "log" },
      { code: "log", changed: [] },
    ],
  ])("when it ended it: $status", async (final, more) => {
    const { client, journal, rid } = await createAsked();
    await journal.finish(rid, { ...final, settled_at: 1 });
    expect(await client.resume(rid)).toMatchObject({ status: final.status, rid, ...more });
  });

  it("when it is at it: nobody knows yet how that ends, and nothing is reported", async () => {
    const { client, journal, rid, broker } = await createAsked();
    await journal.claim(rid, 1);
    expect(await client.resume(rid)).toEqual({ status: "unknown", rid, code: "in_progress" });
    expect(broker.state.outcomes).toEqual([]);
  });

  it.each<[Partial<OutcomeRecord>, object]>([
    [{ status: "succeeded" }, { status: "reported", outcome: { n: 1, status: "succeeded" } }],
    [
      { status: "failed", code: "why" },
      { status: "reported", outcome: { n: 1, status: "failed", code: "why" } },
    ],
    [
      { status: "unknown", code: "why" },
      { status: "unknown", code: "interrupted" },
    ],
  ])("when it said how it ended: %j", async (outcome, answer) => {
    const { client, journal, rid } = await createAsked();
    await journal.claim(rid, 1);
    await journal.addOutcome(rid, outcomeOf(outcome));
    expect(await client.resume(rid)).toStrictEqual({ rid, ...answer });
  });

  it("by its last word", async () => {
    const { client, journal, rid } = await createAsked();
    await journal.claim(rid, 1);
    await journal.addOutcome(rid, outcomeOf({ status: "unknown" }));
    await journal.addOutcome(rid, outcomeOf({ n: 2, status: "rolled_back" }));
    expect(await client.resume(rid)).toMatchObject({ outcome: { n: 2, status: "rolled_back" } });
  });
});

it("a claim whose process is gone is unknown, from when it was made, and said once", async () => {
  const { client, journal, rid, broker, crashed } = await createAsked();
  await crashed();
  const unknown = { status: "unknown", rid, code: "interrupted" };
  expect(await client.resume(rid)).toEqual(unknown);
  expect(await client.resume(rid)).toEqual(unknown);
  expect(broker.state.outcomes).toEqual([{ n: 1, status: "unknown", code: "interrupted" }]);
  const [outcome] = (await journal.read(rid))?.outcomes ?? [];
  const [, payload = ""] = outcome?.outcome.split(".") ?? [];
  expect(JSON.parse(fromUtf8(fromBase64url(payload)))).toMatchObject({ started_at: 1234 });
});

describe("a doubt that comes up after the redemption", () => {
  it("ends the request for good, and is told to the broker in one word, and to the log", async () => {
    const { client, rid, broker, logged } = await createAsked();
    broker.yes(rid, broker.honestEvidence(rid, []));
    const code = "invalid_binding:quorum";
    expect(await client.wait(rid)).toMatchObject({ status: "integrity_mismatch", code });
    const outcome = { n: 1, status: "failed", code: "integrity_mismatch" };
    expect(broker.state.outcomes).toEqual([outcome]);
    const entry = { rid, status: "integrity_mismatch", code };
    expect(logged).toContainEqual(["settled", entry]);
  });

  it("is not told where another process settled the request otherwise", async () => {
    const { client, journal, rid, broker } = await createAsked();
    const evidence = broker.honestEvidence(rid, []);
    broker.yes(rid, evidence);
    broker.state.intercept = async (path) => {
      if (path === "/token") await journal.finish(rid, { status: "canceled", settled_at: 1 });
      return undefined;
    };
    expect(await client.wait(rid)).toEqual({ status: "canceled", rid });
    expect(broker.state.outcomes).toEqual([]);
  });
});

it("an end without a doubt is told to the log as what it is", async () => {
  const { client, rid, logged } = await createAsked();
  await client.cancel(rid);
  expect(logged).toContainEqual(["settled", { rid, status: "canceled", code: "canceled" }]);
});

it("a request whose own record is gone has no answer", async () => {
  const { client, home, journal, rid, broker } = await createAsked();
  broker.state.intercept = async (path) => {
    if (path !== "/token") return undefined;
    await journal.finish(rid, { status: "canceled", settled_at: 1 });
    await rm(join(home, "journal", `${rid}.request.json`));
    return new Response(JSON.stringify({ error: "access_denied" }), { status: 400 });
  };
  await expect(client.wait(rid)).rejects.toMatchObject({ code: "home_corrupt", detail: rid });
});
