import { oversight, parse, requestTimes } from "@countersign/shared";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attackedWorld, type World } from "./testing/attack.js";
import { enrolledPhone } from "./testing/harness.js";

// Figures of how people decide, against a plain reading of the same rows.

let world: World;
let ada: SoftPhone;
let eve: SoftPhone;
let agent: SoftAgent;
let other: SoftAgent;

const day = 86_400_000;

beforeAll(async () => {
  world = await attackedWorld();
  ({ phone: ada, agent } = world);
  eve = await enrolledPhone(world.broker, "Eve", ada);
  other = await createSoftAgent({ origin: world.broker.site.origin });
  await other.pairWith(ada);
  await other.pairWith(eve);
});
afterAll(() => world.close());

const figuresOf = async (phone: SoftPhone) =>
  parse(oversight, await (await phone.call("GET", "/app/oversight")).json());

/** Approved and taken, so that the agent may ask again. */
async function approved(rid: string): Promise<void> {
  await ada.approve(rid);
  expect((await agent.poll(rid)).status).toBe(200);
}

interface LeafRow {
  kind: string;
  rid: string;
  at: Date;
}

const leavesOf = async (rid: string): Promise<LeafRow[]> => [
  ...(await world.sql<
    LeafRow[]
  >`select kind, rid, created_at as at from leaf where rid = ${rid} order by seq`),
];

/** Moves one request's story: asked so long ago, opened and answered so much later. */
async function retell(rid: string, ago: number, opened: number, answered: number): Promise<void> {
  const asked = Date.now() - ago;
  const later = { request: 0, open: opened, approve: answered, deny: answered };
  for (const [kind, milliseconds] of Object.entries(later)) {
    const at = new Date(asked + milliseconds);
    await world.sql`update leaf set created_at = ${at} where rid = ${rid} and kind = ${kind}`;
    await world.sql`update decision set created_at = ${at} where rid = ${rid} and kind = ${kind}`;
  }
}

/** As percentile_cont reads it: between the two nearest. */
function quantile(values: readonly number[], part: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const low = sorted[Math.floor(place)];
  const high = sorted[Math.ceil(place)];
  return low === undefined || high === undefined ? null : low + (high - low) * (place % 1);
}

const spreadOf = (values: readonly number[]) => ({
  count: values.length,
  median: quantile(values, 0.5),
  p90: quantile(values, 0.9),
});

const rounded = ({ count, median, p90 }: ReturnType<typeof spreadOf>) => ({
  count,
  median: median?.toFixed(3),
  p90: p90?.toFixed(3),
});

/** The plain reading: leaf by leaf, of requests to one approver alone. */
async function reading(rids: readonly string[]) {
  const toDecision: number[] = [];
  const onScreen: number[] = [];
  const asked: number[] = [];
  const answers = { approved: 0, denied: 0 };
  for (const rid of rids) {
    const leaves = await leavesOf(rid);
    const at = (kind: string) => leaves.find((leaf) => leaf.kind === kind)?.at.getTime();
    const request = at("request") ?? 0;
    asked.push(request);
    const answer = at("approve") ?? at("deny");
    if (answer === undefined) continue;
    if (at("deny") !== undefined) answers.denied += 1;
    else answers.approved += 1;
    toDecision.push((answer - request) / 1000);
    const opened = at("open");
    if (opened !== undefined) onScreen.push((answer - opened) / 1000);
  }
  const within = (end: number) => asked.filter((at) => at <= end && at >= end - 60_000).length;
  return {
    to_decision: spreadOf(toDecision),
    on_screen: spreadOf(onScreen),
    agent: {
      requests: rids.length,
      ...answers,
      busiest_minute: Math.max(...asked.map(within)),
    },
  };
}

describe("the figures of oversight", () => {
  it("are those of a plain reading of the same leaves", async () => {
    const rids: string[] = [];
    for (let n = 0; n < 7; n++) {
      const { rid } = await agent.request();
      if (n % 3 === 2) await ada.deny(rid);
      else await approved(rid);
      await retell(rid, day + n * 17_000, 1000 + n * 300, 4000 + n * n * 500);
      rids.push(rid);
    }
    const unanswered = await agent.request();
    await agent.call("POST", `/v1/requests/${unanswered.rid}/cancel`, {});
    rids.push(unanswered.rid);
    const naive = await reading(rids);
    const figures = await figuresOf(ada);
    expect(figures).toMatchObject({ days: 30, requests: 8 });
    expect(rounded(figures.to_decision)).toEqual(rounded(naive.to_decision));
    expect(rounded(figures.on_screen)).toEqual(rounded(naive.on_screen));
    expect(figures.agents).toEqual([{ client_id: agent.clientId, ...naive.agent }]);
    expect(naive.agent).toMatchObject({ approved: 5, denied: 2, busiest_minute: 4 });
  });

  it("leave out what is older than they cover", async () => {
    const before = await figuresOf(ada);
    const { rid } = await agent.request();
    await approved(rid);
    expect((await figuresOf(ada)).requests).toBe(before.requests + 1);
    await retell(rid, 31 * day, 1000, 2000);
    expect(await figuresOf(ada)).toEqual(before);
  });

  it("never count another approver's requests or answers", async () => {
    const before = await figuresOf(ada);
    const { rid } = await other.request({ approvers: [eve.approver()] });
    await eve.approve(rid);
    expect(await figuresOf(ada)).toEqual(before);
    expect(await figuresOf(eve)).toMatchObject({
      requests: 1,
      to_decision: { count: 1 },
      agents: [{ client_id: other.clientId, approved: 1 }],
    });

    // One for both, answered by Eve alone: Ada was asked, and said nothing; who opened it, no leaf says.
    const shared = await other.request({ quorum: 1 });
    await eve.approve(shared.rid);
    const after = await figuresOf(ada);
    expect(after.requests).toBe(before.requests + 1);
    expect([after.to_decision, after.on_screen]).toEqual([before.to_decision, before.on_screen]);
    expect(after.agents).toContainEqual({
      client_id: other.clientId,
      ...{ requests: 1, approved: 0, denied: 0, busiest_minute: 1 },
    });
    expect(await figuresOf(eve)).toMatchObject({
      to_decision: { count: 2 },
      on_screen: { count: 1 },
    });
  });

  it("take of several approvals of one request each approver's own", async () => {
    const joan = await enrolledPhone(world.broker, "Joan", eve);
    const third = await createSoftAgent({ origin: world.broker.site.origin });
    for (const phone of [eve, joan]) await third.pairWith(phone);
    const { rid } = await third.request({ quorum: 2 });
    await eve.approve(rid);
    await retell(rid, 60_000, 5000, 10_000);
    await joan.approve(rid);
    const { to_decision: seconds } = await figuresOf(joan);
    expect(seconds.count).toBe(1);
    expect(seconds.median).toBeGreaterThan(50);
  });

  it("do not take a freeze for an answer to what it denied", async () => {
    const before = await figuresOf(ada);
    const { rid } = await agent.request();
    await ada.keys.freeze(agent.clientId);
    const [row] = await world.sql`select state from authorization_request where rid = ${rid}`;
    expect(row?.["state"]).toBe("denied");
    const after = await figuresOf(ada);
    expect(after.to_decision).toEqual(before.to_decision);
    expect(after.requests).toBe(before.requests + 1);
  });
});

describe("the times of a request", () => {
  it("are those of its leaves, each approval of them and the first of its openings", async () => {
    const { rid } = await other.request({ quorum: 2 });
    await eve.approve(rid);
    await retell(rid, 60_000, 5000, 10_000);
    await ada.approve(rid);
    const read = async (phone: SoftPhone) => phone.call("GET", `/app/requests/${rid}/times`);
    const { times } = parse(requestTimes, await (await read(ada)).json());
    const leaves = await leavesOf(rid);
    const told = ["request", "open", "approve", "approve"];
    expect(times.map(({ kind }) => kind)).toEqual(told);
    expect(leaves.map(({ kind }) => kind)).toEqual([
      "request",
      "open",
      "approve",
      "open",
      "approve",
    ]);
    const seconds = leaves.map(({ at }) => Math.floor(at.getTime() / 1000));
    expect(times.map(({ at }) => at)).toEqual([0, 1, 2, 4].map((place) => seconds[place]));
  });
});
