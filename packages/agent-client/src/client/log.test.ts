import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type Evidence,
  fromBase64url,
  hash,
  type LoggedLeaf,
  randomId,
  verifyCheckpoint,
} from "@countersign/shared";
import { createSoftLog } from "@countersign/test-kit/soft-log";
import { describe, expect, it } from "vitest";
import { systemClock } from "../clock.js";
import { createPaired, pairWith, site } from "../fixtures/agent.js";
import { type LogMemory, openLogMemory } from "../home/log-memory.js";
import { openPins } from "../home/pins.js";
import { silent } from "../logger.js";
import type { ClientContext } from "./context.js";
import { createClient } from "./create-client.js";
import { lookAtLog } from "./log.js";

type Paired = Awaited<ReturnType<typeof createPaired>>;

const create = () => createPaired({ retryForMs: 0 });

/** Asks, and answers with a yes whose evidence a test may change. */
async function askAndApprove(
  world: Paired,
  change: (honest: Evidence) => Evidence = (honest) => honest,
) {
  const { rid, held } = await world.ask();
  const approval = await world.approver.approve(held);
  world.broker.yes(rid, change(world.broker.honestEvidence(rid, [approval])));
  return { rid, answer: await world.client.wait(rid) };
}

/** Something else happens at this broker. */
const grow = ({ broker }: Paired, count: number) => {
  for (let n = 0; n < count; n++) broker.log.append({ kind: "request", digest: "A".repeat(43) });
};

/** As if entry `index` had never been what it was. */
const rewrite = ({ broker }: Paired, index: number) => {
  (broker.log.entries[index] as Uint8Array)[0] = 255 - (broker.log.entries[index]?.[0] ?? 0);
};

const refusal = (world: Paired) => world.client.request({ tool: "delete", args: {} });

describe("an approval counts only with its leaf in the log", () => {
  const leavesOf = (
    world: Paired,
    record: (honest: LoggedLeaf["record"]) => Partial<LoggedLeaf["record"]>,
  ) => {
    return (honest: Evidence): Evidence => ({
      ...honest,
      leaves: honest.leaves.map((leaf) => {
        const { v: _, salt: __, ...kept } = { ...leaf.record, ...record(leaf.record) };
        return world.broker.log.prove(world.broker.log.append(kept));
      }),
    });
  };

  it.each<[string, (world: Paired) => (honest: Evidence) => Evidence, string]>([
    ["none", () => (honest) => ({ ...honest, leaves: [] }), "log_invalid:leaf"],
    [
      "one without a proof",
      () => (honest) => ({ ...honest, leaves: honest.leaves.map(({ record }) => ({ record })) }),
      "log_invalid:leaf",
    ],
    [
      "the leaf of another digest",
      (world) => leavesOf(world, () => ({ digest: "A".repeat(43) })),
      "log_invalid:leaf",
    ],
    [
      "the leaf of another request",
      (world) => leavesOf(world, () => ({ rid: randomId() })),
      "log_invalid:leaf",
    ],
    [
      "the leaf of another kind",
      (world) => leavesOf(world, () => ({ kind: "open" })),
      "log_invalid:leaf",
    ],
    [
      "another entry's proof",
      ({ broker }) =>
        (honest) => {
          const other = broker.log.append({ kind: "open", digest: "A".repeat(43) });
          const { proof } = broker.log.prove(other);
          return {
            ...honest,
            leaves: honest.leaves.map(({ record }) => ({ record, ...(proof ? { proof } : {}) })),
          };
        },
      "log_invalid",
    ],
    [
      "a log that another key signed",
      ({ broker }) => {
        const other = createSoftLog(broker.log.vkey.split("+")[0] ?? "");
        return (honest) => ({
          ...honest,
          leaves: honest.leaves.map(({ record }) => other.prove(other.append(record))),
        });
      },
      "log_invalid",
    ],
  ])("not with %s", async (_, change, code) => {
    const world = await create();
    const { answer } = await askAndApprove(world, change(world));
    expect(answer).toMatchObject({ status: "integrity_mismatch", code });
    // What it was shown proves nothing about the log itself: the next one is asked and answered.
    expect((await askAndApprove(world)).answer).toMatchObject({ status: "approved" });
  });

  it("and all approvals of a quorum under one checkpoint", async () => {
    const world = await createPaired({ retryForMs: 0, approvers: 2 });
    const { rid, held } = await world.ask(undefined, { quorum: 2 });
    const both = await Promise.all(world.approvers.map((person) => person.approve(held)));
    const evidence = world.broker.honestEvidence(rid, both);
    const [first, second] = evidence.leaves as [LoggedLeaf, LoggedLeaf];
    const index = world.broker.log.entries.length - 1;
    grow(world, 1);
    const later = world.broker.log.prove({ record: second.record, index });
    world.broker.yes(rid, { ...evidence, leaves: [first, later] });
    expect(await world.client.wait(rid)).toMatchObject({ code: "log_invalid:checkpoints" });
  });
});

describe("an agent follows its broker's log", () => {
  it("through whatever it grows by, and keeps the last checkpoint alone", async () => {
    const world = await create();
    for (const growth of [0, 1, 250, 7, 300]) {
      grow(world, growth);
      const { rid, answer } = await askAndApprove(world);
      expect(answer).toMatchObject({ status: "approved" });
      expect(await world.client.claim(rid)).toMatchObject({ status: "claimed" });
      await world.client.report(rid, { status: "succeeded" });
    }
    const kept = await readdir(join(world.home, "log"));
    expect(kept).toEqual([expect.stringMatching(`^${world.broker.log.entries.length}\\.`)]);
  });

  it.each([
    ["one entry rewritten", (world: Paired) => rewrite(world, 1), "log_fork"],
    ["one entry rewritten, and grown since", forkAndGrow, "log_fork"],
    ["two entries in another order", swap, "log_fork"],
    ["shorter than it was", (world: Paired) => world.broker.log.entries.pop(), "log_rolled_back"],
    ["rolled back, and grown past it", rollBackAndGrow, "log_fork"],
  ])("and stops at once and for good when it is %s", async (_, tamper, code) => {
    const world = await create();
    grow(world, 6);
    const { rid } = await askAndApprove(world);
    await world.client.claim(rid);
    const before = world.broker.log.checkpoint();
    const honest = world.broker.log.entries.map((entry) => new Uint8Array(entry));
    tamper(world);
    const checkpoints = { remembered: before, shown: world.broker.log.checkpoint() };
    const asked = world.broker.requests.size;
    const stopped = { status: "integrity_mismatch", code, checkpoints };
    expect(await refusal(world)).toMatchObject(stopped);

    // The honest log again, and another process: the contradiction stays what it was.
    world.broker.log.entries.splice(0, Number.POSITIVE_INFINITY, ...honest);
    expect(await refusal(world)).toMatchObject(stopped);
    expect(await refusal({ ...world, client: await world.open() })).toMatchObject(stopped);
    expect(world.broker.requests.size).toBe(asked);
  });

  it("and takes no approval under a tree that contradicts it", async () => {
    const world = await create();
    grow(world, 6);
    const { rid, held } = await world.ask();
    rewrite(world, 2);
    const approval = await world.approver.approve(held);
    world.broker.yes(rid, world.broker.honestEvidence(rid, [approval]));
    expect(await world.client.wait(rid)).toMatchObject({
      status: "integrity_mismatch",
      code: "log_fork",
      checkpoints: { shown: world.broker.log.checkpoint() },
    });
    expect(await world.client.claim(rid)).toMatchObject({ status: "integrity_mismatch" });
    expect(await refusal(world)).toMatchObject({ code: "log_fork" });
  });

  it("and notices a log that a phone was shown and it was not", async () => {
    const world = await create();
    grow(world, 6);
    const root = "A".repeat(43);
    for (const checkpoint of [
      { size: 3, root },
      { size: 7, root },
      { size: 2 ** 40, root },
    ]) {
      const own = await create();
      grow(own, 6);
      const { rid, held } = await own.ask();
      const approval = await own.approver.approve(held, { checkpoint });
      own.broker.yes(rid, own.broker.honestEvidence(rid, [approval]));
      expect(await own.client.wait(rid)).toMatchObject({ code: "log_fork" });
    }
  });

  it("and takes an approval that notarises the very log", async () => {
    const world = await create();
    grow(world, 6);
    const { rid, held } = await world.ask();
    const [, size, root = ""] = world.broker.log.checkpoint().split("\n");
    const url = Buffer.from(root, "base64").toString("base64url");
    const checkpoint = { size: Number(size), root: url };
    grow(world, 3);
    const approval = await world.approver.approve(held, { checkpoint });
    world.broker.yes(rid, world.broker.honestEvidence(rid, [approval]));
    expect(await world.client.wait(rid)).toMatchObject({ status: "approved" });
  });

  it("and takes evidence that is older than what it saw since", async () => {
    const world = await create();
    const { rid, held } = await world.ask();
    const approval = await world.approver.approve(held);
    world.broker.yes(rid, world.broker.honestEvidence(rid, [approval]));
    grow(world, 9);
    await world.ask();
    expect(await world.client.wait(rid)).toMatchObject({ status: "approved" });
    expect(await world.client.claim(rid)).toMatchObject({ status: "claimed" });
  });

  it("but not from a broker that does not have that any more", async () => {
    const world = await create();
    const { rid, held } = await world.ask();
    const approval = await world.approver.approve(held);
    const { broker } = world;
    broker.yes(rid, broker.honestEvidence(rid, [approval]));
    grow(world, 9);
    await world.ask();
    const older = broker.log.checkpoint(broker.log.entries.length - 1);
    broker.state.intercept = (path) =>
      path === "/log/checkpoint" ? new Response(older) : undefined;
    expect(await world.client.wait(rid)).toMatchObject({
      status: "integrity_mismatch",
      code: "log_rolled_back",
    });
  });

  it("and approves nothing while the tiles are withheld, but can when they come", async () => {
    const world = await create();
    grow(world, 6);
    const { rid, held } = await world.ask();
    world.broker.yes(rid, world.broker.honestEvidence(rid, [await world.approver.approve(held)]));
    world.broker.state.intercept = (path) =>
      path.startsWith("/log/tile") ? new Response(null, { status: 404 }) : undefined;
    expect(await world.client.wait(rid)).toMatchObject({ status: "unreachable" });
    expect(await world.client.claim(rid)).toMatchObject({ status: "unreachable" });
    world.broker.state.intercept = undefined;
    expect(await world.client.wait(rid)).toMatchObject({ status: "approved" });
  });

  it("and judges nothing by tiles that are not the log's, but can when its own come", async () => {
    const world = await create();
    grow(world, 6);
    const { rid, held } = await world.ask();
    world.broker.yes(rid, world.broker.honestEvidence(rid, [await world.approver.approve(held)]));
    grow(world, 2);
    world.broker.state.intercept = wrongTiles(world);
    const invalid = { status: "integrity_mismatch", code: "log_invalid" };
    expect(await refusal(world)).toMatchObject(invalid);
    expect(await refusal({ ...world, client: await world.open() })).toMatchObject(invalid);
    world.broker.state.intercept = undefined;
    expect(await refusal(world)).toMatchObject({ status: "pending" });
    expect(await world.client.wait(rid)).toMatchObject({ status: "approved" });
  });

  it.each([
    ["wrong", wrongTiles, "log_invalid"],
    [
      "not to be had",
      () => (path: string) =>
        path.startsWith("/log/tile") ? new Response(null, { status: 404 }) : undefined,
      "invalid_response",
    ],
  ])("and forgets no fork because its tiles were %s when it was shown", async (_, tiles, code) => {
    const world = await create();
    grow(world, 6);
    await world.ask();
    const honest = world.broker.log.entries.map((entry) => new Uint8Array(entry));
    forkAndGrow(world);
    world.broker.state.intercept = tiles(world);
    expect(await refusal(world)).toMatchObject({ code });
    world.broker.state.intercept = undefined;
    world.broker.log.entries.splice(0, Number.POSITIVE_INFINITY, ...honest);
    grow(world, 9);
    expect(await refusal(world)).toMatchObject({ code: "log_fork" });
  });

  it("and of two processes that were shown different logs, one at least stops", async () => {
    const world = await create();
    grow(world, 6);
    await world.ask();
    grow(world, 2);
    const other = await createClient({
      ...{ brokerUrl: site.issuer, home: world.home, retryForMs: 0 },
      fetch: (input, init) => {
        const { pathname } = new URL(String(input));
        if (!pathname.startsWith("/log/")) return world.broker.fetch(input, init);
        // The same broker's other face, shown to this process alone.
        rewrite(world, 7);
        const { log } = world.broker;
        const shown =
          pathname === "/log/checkpoint" ? log.checkpoint() : log.tile(pathname.slice(5));
        rewrite(world, 7);
        return Promise.resolve(new Response(shown ?? null));
      },
    });
    const answers = await Promise.all([refusal(world), refusal({ ...world, client: other })]);
    expect(answers).toContainEqual(expect.objectContaining({ code: "log_fork" }));
    expect(await refusal(world)).toMatchObject({ code: "log_fork" });
  });

  it("and forgets nothing when two processes are shown one tree in two notes at the same moment", async () => {
    const world = await create();
    grow(world, 6);
    await world.ask();
    grow(world, 2);
    let kept = 0;
    let bothKept = () => {};
    const barrier = new Promise<void>((resolve) => {
      bothKept = resolve;
    });
    const look = async () => {
      const memory = await openLogMemory(world.home);
      const note = world.broker.log.checkpointAgain();
      const keep: LogMemory["keep"] = async (checkpoint) => {
        await memory.keep(checkpoint);
        kept += 1;
        if (kept === 2) bothKept();
        await barrier;
      };
      const context = {
        log: { ...memory, keep },
        pins: await openPins(world.home, site),
        broker: {
          checkpoint: async () => ({ ok: true, value: note }),
          tile: async (path: string) => ({ ok: true, value: world.broker.log.tile(path) }),
        },
        clock: systemClock,
        logger: silent,
      } as unknown as ClientContext;
      return lookAtLog(context, { untilMs: 0 });
    };
    const current = { status: "current" };
    expect(await Promise.all([look(), look()])).toEqual([current, current]);
    rewrite(world, 1);
    expect(await refusal(world)).toMatchObject({ code: "log_fork" });
  });

  it("and reads on while another process lets go of what it reads", async () => {
    const world = await create();
    const memory = await openLogMemory(world.home);
    for (let round = 0; round < 200; round++) {
      grow(world, 1);
      const checkpoint = await verifyCheckpoint(
        world.broker.log.checkpoint(),
        world.broker.log.vkey,
      );
      await memory.keep(checkpoint);
      const reading = Array.from({ length: 4 }, () => memory.checkpoints(world.broker.log.vkey));
      const [found] = await Promise.all([...reading, memory.drop([checkpoint])]);
      expect((found as unknown[]).length).toBeLessThanOrEqual(1);
    }
  });

  it("until nobody is paired with it any more; the next pairing begins anew", async () => {
    const world = await create();
    grow(world, 6);
    await world.ask();
    rewrite(world, 1);
    expect(await refusal(world)).toMatchObject({ code: "log_fork" });
    await world.client.unpair(world.approver.id);
    await pairWith(world.client, world.broker, world.approver);
    expect(await refusal(world)).toMatchObject({ status: "pending" });
  });

  it("until the last two who were paired are unpaired, though it is at the same moment", async () => {
    const world = await createPaired({ retryForMs: 0, approvers: 2 });
    grow(world, 6);
    await world.ask();
    rewrite(world, 1);
    expect(await refusal(world)).toMatchObject({ code: "log_fork" });
    const [first] = world.approvers;
    await Promise.all(world.approvers.map(({ id }) => world.client.unpair(id)));
    if (first) await pairWith(world.client, world.broker, first);
    expect(await refusal(world)).toMatchObject({ status: "pending" });
  });

  it("and pairs nobody under the key of another log", async () => {
    const world = await create();
    const forge = {
      statement: (honest: object) => ({ ...honest, log_key: createSoftLog("other").vkey }) as never,
    };
    await expect(pairWith(world.client, world.broker, world.approver, forge)).rejects.toMatchObject(
      { code: "log_changed" },
    );
  });
});

/** Tiles of the right length, with one octet in each that is another. */
const wrongTiles =
  ({ broker }: Paired) =>
  (path: string) => {
    const octets = path.startsWith("/log/tile") ? broker.log.tile(path.slice(5)) : undefined;
    return octets && new Response(octets.with(0, (octets[0] ?? 0) ^ 1));
  };

function forkAndGrow(world: Paired): void {
  rewrite(world, 3);
  grow(world, 5);
}

function swap({ broker }: Paired): void {
  const [first, second] = broker.log.entries as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
  broker.log.entries.splice(0, 2, second, first);
}

function rollBackAndGrow(world: Paired): void {
  world.broker.log.entries.splice(4);
  grow(world, 20);
}

it("hashes a decision as its leaf says", async () => {
  const world = await create();
  const { rid, held } = await world.ask();
  const approval = await world.approver.approve(held);
  const [leaf] = world.broker.honestEvidence(rid, [approval]).leaves;
  expect(leaf?.record.digest).toBe(hash("approve", fromBase64url(approval.statement)));
});
