import { chmod, cp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { randomId } from "@countersign/shared";
import { describe, expect, it } from "vitest";
import { createHome, createPaired } from "../fixtures/agent.js";
import { startClaimer } from "../fixtures/child.js";
import { openJournal } from "./journal.js";

describe("a claim", () => {
  it("belongs to exactly one of the processes that reach for it", async () => {
    const home = await createHome();
    const prefix = randomId();
    const racers = [1, 2, 3].map(() => startClaimer(home, prefix, "150"));
    await Promise.all(racers.map(({ exited }) => exited));
    const won = racers.flatMap(({ lines }) => lines.slice(1));
    expect(won).toHaveLength(150);
    expect(new Set(won).size).toBe(150);
  });

  it("is there for good once it was said to be, wherever the process was killed", async () => {
    const home = await createHome();
    const said: string[] = [];
    for (let round = 0; round < 4; round++) {
      const claimer = startClaimer(home, randomId(), "5000");
      await claimer.line(2);
      await sleep(Math.random() * 60);
      claimer.child.kill("SIGKILL");
      await claimer.exited;
      said.push(...claimer.lines.slice(1));
    }
    const journal = await openJournal(home);
    const kept = new Set(await journal.used());
    expect(said.length).toBeGreaterThan(4);
    expect(said.filter((rid) => !kept.has(rid))).toEqual([]);
    expect(await Promise.all(said.map((rid) => journal.claim(rid, 2)))).not.toContain(true);
  });

  it("shares its name with every final answer: whichever is first, the other never is", async () => {
    const journal = await openJournal(await createHome());
    const [denied, claimed] = [randomId(), randomId()];
    expect(await journal.finish(denied, { status: "denied", settled_at: 1 })).toBe(true);
    expect(await journal.claim(denied, 1)).toBe(false);
    expect(await journal.claim(claimed, 1)).toBe(true);
    expect(await journal.finish(claimed, { status: "canceled", settled_at: 1 })).toBe(false);
  });
});

describe("an approval that another process claimed", () => {
  it("is in progress while that process lives, and unknown once it was killed, for a person to settle", async () => {
    const { home, client, ask, approver, broker, open } = await createPaired();
    const { rid, held } = await ask();
    broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
    expect(await client.wait(rid)).toMatchObject({ status: "approved" });
    const claimer = startClaimer(home, rid, "1", "hang");
    await claimer.line(1);
    const inProgress = { status: "unknown", rid, code: "in_progress" };
    expect(await client.claim(rid)).toEqual(inProgress);
    expect(await (await open()).resume(rid)).toEqual(inProgress);
    await expect(client.resolve(rid, "succeeded")).rejects.toMatchObject({ code: "not_unknown" });
    expect(broker.state.outcomes).toEqual([]);

    claimer.child.kill("SIGKILL");
    await claimer.exited;
    const restarted = await open();
    expect(await restarted.recover()).toEqual([rid]);
    const unknown = { status: "unknown", rid, code: "interrupted" };
    expect(await restarted.resume(rid)).toEqual(unknown);
    expect(await client.claim(rid)).toEqual(unknown);
    expect(await restarted.resolve(rid, "succeeded")).toEqual({ n: 2 });
    expect(await restarted.resume(rid)).toMatchObject({ status: "reported", outcome: { n: 2 } });
    expect(broker.state.outcomes).toMatchObject([
      { n: 1, status: "unknown" },
      { n: 2, status: "succeeded" },
    ]);
    expect(await restarted.recover()).toEqual([]);
  });
});

describe("the journal", () => {
  it("lets the same approval be used once, by the same client too", async () => {
    const { client, ask, approver, broker } = await createPaired();
    const { rid, held } = await ask();
    broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
    await client.wait(rid);
    const claims = await Promise.all([client.claim(rid), client.claim(rid), client.claim(rid)]);
    expect(claims.filter(({ status }) => status === "claimed")).toHaveLength(1);
    expect(await client.report(rid, { status: "succeeded" })).toEqual({ n: 1 });
    expect(await client.claim(rid)).toMatchObject({ status: "reported" });
  });

  it("forgets when a snapshot of the disk is restored: then the broker's one redemption stands", async () => {
    const { home, client, ask, approver, broker, open } = await createPaired();
    const { rid, held } = await ask();
    const snapshot = join(await createHome(), "snapshot");
    await cp(home, snapshot, { recursive: true });
    broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
    await client.wait(rid);
    expect(await client.claim(rid)).toMatchObject({ status: "claimed" });
    await rm(home, { recursive: true });
    await cp(snapshot, home, { recursive: true });
    broker.no(rid, { error: "invalid_grant" });
    const restored = await open();
    expect(await restored.resume(rid)).toMatchObject({ status: "unreachable" });
    await expect(restored.claim(rid)).rejects.toMatchObject({ code: "not_approved" });
  });

  it("refuses what it cannot read", async () => {
    const { home, client, ask, approver, broker } = await createPaired();
    const { rid, held } = await ask();
    broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
    await client.wait(rid);
    const settled = join(home, "journal", `${rid}.settled.json`);
    for (const torn of ["", "{", '{"v":1,"kind":"claim"}']) {
      await writeFile(settled, torn, { mode: 0o600 });
      await expect(client.claim(rid)).rejects.toMatchObject({ code: "home_corrupt" });
      await expect(client.resume(rid)).rejects.toMatchObject({ code: "home_corrupt" });
    }
  });

  it("refuses a request whose stored bytes were changed", async () => {
    const { home, ask, open } = await createPaired();
    const { rid } = await ask();
    const other = await ask();
    await cp(
      join(home, "journal", `${other.rid}.request.json`),
      join(home, "journal", `${rid}.request.json`),
    );
    await expect((await open()).resume(rid)).rejects.toMatchObject({ code: "home_corrupt" });
  });

  it.skipIf(process.platform === "win32")("refuses files that others can read", async () => {
    const { home, ask, open } = await createPaired();
    await chmod(join(home, "agent-key.json"), 0o644);
    await expect(open()).rejects.toMatchObject({ code: "home_unsafe" });
    await chmod(join(home, "agent-key.json"), 0o600);
    await chmod(home, 0o755);
    await expect(open()).rejects.toMatchObject({ code: "home_unsafe" });
    await expect(ask()).resolves.toBeDefined();
  });

  it("leaves no half-written file behind a finished call", async () => {
    const { home, ask } = await createPaired();
    await ask();
    const names = await readdir(join(home, "journal"));
    expect(names.filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});
