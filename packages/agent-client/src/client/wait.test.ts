import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createHome, createPaired, site } from "../fixtures/agent.js";
import { createApprover } from "../fixtures/approver.js";
import { createClient } from "./create-client.js";

/** A wall and a monotonic clock that a test moves together or apart. */
function createClock() {
  const moved = { wallMs: 0, monotonicMs: 0 };
  return {
    moved,
    clock: {
      now: () => Date.now() + moved.wallMs,
      monotonic: () => performance.now() + moved.monotonicMs,
    },
  };
}

describe("what an agent says of a request", () => {
  it("reports a no that a pinned device signed as denied, with the person's reason, for good", async () => {
    const { ask, approver, broker, client } = await createPaired();
    const { rid, held } = await ask();
    broker.no(rid, { error: "access_denied", decision: await approver.deny(held, "wrong folder") });
    const denied = { status: "denied", rid, approver: approver.id, reason: "wrong folder" };
    expect(await client.wait(rid)).toEqual(denied);
    broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
    expect(await client.wait(rid)).toEqual(denied);
    await expect(client.claim(rid)).rejects.toMatchObject({ code: "not_approved" });
  });

  it("calls a denial that the broker invented unreachable, and never a person's", async () => {
    const { ask, approver, broker, client } = await createPaired();
    const stranger = await createApprover(site);
    const invented = [
      async () => ({}),
      async (held: Parameters<typeof approver.deny>[0]) => ({
        decision: await approver.deny(held, "no", stranger.device),
      }),
      async (held: Parameters<typeof approver.deny>[0]) => ({
        decision: await stranger.deny(held),
      }),
      async () => ({ decision: await approver.deny((await ask()).held) }),
    ];
    for (const invent of invented) {
      const { rid, held } = await ask();
      broker.no(rid, { error: "access_denied", ...(await invent(held)) });
      expect(await client.wait(rid)).toEqual({ status: "unreachable", rid, code: "access_denied" });
    }
  });

  it("calls an expiry that only the broker asserts unreachable", async () => {
    const { ask, broker, client } = await createPaired();
    const { rid } = await ask();
    broker.no(rid, { error: "expired_token" });
    expect(await client.wait(rid)).toEqual({ status: "unreachable", rid, code: "expired_token" });
  });

  it("calls it expired by its own deadline only, with no broker in reach too", async () => {
    const { ask, broker, client } = await createPaired();
    const { rid } = await ask(undefined, { expiresInSeconds: 2 });
    broker.state.intercept = () => {
      throw new TypeError("fetch failed");
    };
    expect(await client.wait(rid)).toEqual({ status: "expired", rid });
  });

  it("keeps asking while the broker is away or in trouble", async () => {
    const { ask, approver, broker, client } = await createPaired();
    const { rid, held } = await ask();
    broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
    const keys = new Set<string | undefined>();
    let failures = 4;
    broker.state.intercept = (path, init) => {
      if (path !== "/token") return undefined;
      keys.add((init.headers as Record<string, string>)["idempotency-key"]);
      if (failures-- > 2) throw new TypeError("fetch failed");
      return failures >= 0 ? new Response("<html>", { status: 503 }) : undefined;
    };
    expect(await client.wait(rid)).toMatchObject({ status: "approved" });
    expect(keys.size).toBe(1);
  });

  it("refuses evidence that a redeemed reply promises and does not hold", async () => {
    const { ask, broker, client } = await createPaired();
    const { rid } = await ask();
    broker.yes(rid, undefined);
    expect(await client.wait(rid)).toMatchObject({
      status: "unreachable",
      code: "invalid_response",
    });
    const flipped = await ask();
    broker.yes(flipped.rid, broker.honestEvidence(flipped.rid, []));
    expect(await client.wait(flipped.rid)).toMatchObject({ status: "integrity_mismatch" });
    expect(broker.state.outcomes).toMatchObject([{ n: 1, status: "failed" }]);
  });

  it("takes a request back when it is aborted, at once and before the broker knows", async () => {
    const { ask, approver, broker, client } = await createPaired();
    const { rid, held } = await ask();
    const aborting = new AbortController();
    const waiting = client.wait(rid, { signal: aborting.signal });
    await sleep(50);
    aborting.abort();
    expect(await waiting).toEqual({ status: "canceled", rid });
    expect(broker.state.canceled).toEqual([rid]);
    broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
    expect(await client.resume(rid)).toEqual({ status: "canceled", rid });
  });

  it("refuses what JSON cannot hold exactly, and kinds of preconditions that it does not know", async () => {
    const { client, broker } = await createPaired();
    const before = broker.state.calls.length;
    const inexact = await client.request({ tool: "pay", args: { amount: -0 } });
    expect(inexact).toEqual({ status: "refused_by_policy", code: "number_not_exact" });
    const date = { tool: "pay", args: { when: new Date() } } as unknown;
    expect(await client.request(date as Parameters<typeof client.request>[0])).toMatchObject({
      status: "refused_by_policy",
      code: "invalid_json",
    });
    const preconditions = [{ kind: "toString", subject: "x" }];
    expect(await client.request({ tool: "pay", args: {}, preconditions })).toEqual({
      status: "refused_by_policy",
      code: "precondition_unknown",
    });
    expect(broker.state.calls.length).toBe(before);
  });

  it("asks nobody where nobody is paired, and promises no quorum it cannot reach", async () => {
    const home = await createHome();
    const unpaired = await createClient({ brokerUrl: site.issuer, home });
    const proposal = { tool: "pay", args: {} };
    const notPaired = { status: "refused_by_policy", code: "not_paired" };
    expect(await unpaired.request(proposal)).toEqual(notPaired);
    const { client } = await createPaired();
    expect(await client.request(proposal, { quorum: 2 })).toMatchObject({
      code: "quorum_unreachable",
    });
  });

  it("says unreachable when no broker takes the request, and takes back what it may have taken", async () => {
    const { client, broker } = await createPaired({ retryForMs: 300 });
    broker.state.intercept = (path) => {
      if (path === "/bc-authorize") throw new TypeError("fetch failed");
      return undefined;
    };
    const answer = await client.request({ tool: "pay", args: {} });
    expect(answer).toMatchObject({ status: "unreachable", code: "network" });
    expect(broker.state.canceled).toHaveLength(1);
  });
});

describe("the deadline", () => {
  const approved = async (options: { expiresInSeconds?: number } = {}) => {
    const { clock, moved } = createClock();
    const paired = await createPaired({ clock });
    const { rid, held } = await paired.ask(undefined, options);
    const { broker } = paired;
    broker.yes(rid, broker.honestEvidence(rid, [await paired.approver.approve(held)]));
    return { ...paired, moved, rid };
  };

  it("refuses an effect when it passed between verification and effect, by either clock", async () => {
    for (const sleeping of ["wallMs", "monotonicMs"] as const) {
      const { client, moved, rid } = await approved();
      expect(await client.wait(rid)).toMatchObject({ status: "approved" });
      moved[sleeping] = 301_000;
      expect(await client.claim(rid)).toEqual({ status: "expired", rid });
    }
  });

  it("refuses an effect when it passed while the preconditions were measured", async () => {
    const { clock, moved } = createClock();
    let measured = 0;
    const slow = async () => {
      if (measured++ > 0) moved.wallMs = moved.monotonicMs = 301_000;
      return "A".repeat(43);
    };
    const { ask, broker, client, approver } = await createPaired({
      clock,
      preconditions: { slow },
    });
    const proposal = { tool: "pay", args: {}, preconditions: [{ kind: "slow", subject: "x" }] };
    const { rid, held } = await ask(proposal);
    broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
    await client.wait(rid);
    expect(await client.claim(rid)).toEqual({ status: "expired", rid });
    expect(broker.state.outcomes).toEqual([{ n: 1, status: "failed", code: "expired" }]);
  });

  it("believes neither clock when broker and wall are more than 30 s apart", async () => {
    for (const skewMs of [-40_000, 40_000]) {
      const { client, broker, rid } = await approved();
      broker.state.skewMs = skewMs;
      expect(await client.wait(rid)).toEqual({ status: "unreachable", rid, code: "clock_skew" });
    }
  });

  it("is the broker's after a restart, when it is earlier than the agent's", async () => {
    const { broker, open, rid } = await approved({ expiresInSeconds: 20 });
    broker.state.skewMs = 25_000;
    expect(await (await open()).resume(rid)).toEqual({ status: "expired", rid });
  });
});

describe("preconditions", () => {
  it("burn an approval when they changed, and the next request says what changed", async () => {
    const { broker, client, approver } = await createPaired();
    const folder = join(await createHome(), "tree");
    await mkdir(folder);
    await writeFile(join(folder, "a"), "1");
    const executed: string[] = [];
    const reasons: unknown[] = [];
    let asked = 0;
    const guarded = await client.guard(
      { tool: "rm", args: {}, preconditions: [{ kind: "tree", subject: folder }] },
      () => executed.push("rm"),
      {
        onPending: ({ rid }) => {
          const held = broker.requests.get(rid);
          if (!held) throw new Error("not requested");
          void (async () => {
            const { manifestBytes } = await approver.device.open(held.sealed, rid);
            reasons.push(JSON.parse(new TextDecoder().decode(manifestBytes)).reasons);
            if (asked++ === 0) await writeFile(join(folder, "b"), "new");
            const approval = await approver.approve(held);
            broker.yes(rid, broker.honestEvidence(rid, [approval]));
          })();
        },
      },
    );
    expect(guarded).toMatchObject({ status: "approved", outcome: "succeeded" });
    expect(executed).toEqual(["rm"]);
    expect(reasons).toEqual([[], [expect.stringContaining(`tree ${folder}`)]]);
    expect(broker.state.outcomes).toEqual([
      { n: 1, status: "failed", code: "precondition_changed" },
      { n: 1, status: "succeeded" },
    ]);
  });
});
