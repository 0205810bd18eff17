import { type RequestState, randomId, randomNonce, sha256Text, utf8 } from "@countersign/shared";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Connection, connect } from "./db/client.js";
import { putContext } from "./db/contexts.js";
import { isUniqueViolation } from "./db/failures.js";
import { findForAgent } from "./db/request-reads.js";
import {
  cancelRequest,
  expireRequest,
  insertApproval,
  insertCeremony,
  insertDenial,
  insertOutcome,
  insertRequest,
  redeemRequest,
} from "./db/requests.js";
import { rows } from "./db/rows.js";
import { type LifecycleEvent, lifecycle, terminalStates } from "./domain/lifecycle.js";
import type { Sequencer } from "./domain/ports.js";
import { createSequencer } from "./log/sequence.js";
import { migrate } from "./testing/harness.js";
import { seedWorld, type World } from "./testing/seed.js";

// Many hands at once on a real PostgreSQL, against the table of protocol section 4: whatever each of them was
// told, there must be an order of their calls in which the table alone would have told them the same.

/** What one hand does to one request. `who` is an approver, `device` one of their two. */
type Command =
  | { do: "approve"; who: number; device: number }
  | { do: "deny"; who: number }
  | { do: "cancel" | "expire" | "redeem" | "lapse" | "read" }
  | { do: "report"; n: number };

/** What the caller was told: the state after it, or that nothing was changed. */
type Told = RequestState | "refused";

interface Model {
  state: RequestState;
  overdue: boolean;
  approvedBy: readonly number[];
  outcomes: number;
}

const approverCount = 3;
const who = fc.nat({ max: approverCount - 1 });
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("approve" as const), who, device: fc.nat({ max: 1 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("deny" as const), who }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("report" as const), n: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("redeem" as const, "read" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("cancel" as const, "expire" as const, "lapse" as const),
    }),
  },
);
/** Commands of one burst run at once; bursts one after the other. */
const script = fc.record({
  quorum: fc.integer({ min: 1, max: approverCount }),
  bursts: fc.array(fc.array(command, { minLength: 2, maxLength: 6 }), {
    minLength: 1,
    maxLength: 6,
  }),
});

let database: TestDatabase;
let connection: Connection;
let world: World;
let sequencer: Sequencer;

beforeAll(async () => {
  database = await createDatabase(migrate);
  connection = connect(database.url);
  sequencer = await createSequencer(connection.db, () => {});
  world = await seedWorld(connection.db, { approvers: approverCount, devices: 2 });
});
afterAll(async () => {
  await connection.close();
  await database.drop();
});

it("tells every hand only what the lifecycle table allows, in some order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(script, { minLength: 3, maxLength: 3 }), async (scripts) => {
      await Promise.all(scripts.map(play));
    }),
    { numRuns: 40, endOnFailure: true },
  );
}, 60_000);

/** Runs one request's script and checks each burst's answers, then what is left in the tables. */
async function play({ quorum, bursts }: { quorum: number; bursts: Command[][] }): Promise<void> {
  const request = await open(quorum);
  const told: { command: Command; answer: Told }[] = [];
  let possible: Model[] = [{ state: "pending", overdue: false, approvedBy: [], outcomes: 0 }];
  for (const burst of bursts) {
    const answers = await Promise.all(burst.map((given) => run(request, given)));
    const heard = burst.map((given, index) => ({
      command: given,
      answer: answers[index] ?? "refused",
    }));
    told.push(...heard);
    const before = possible;
    const stored = await read(request.rid);
    possible = endings(before, heard, quorum).filter(
      (model) =>
        model.state === stored.state &&
        model.approvedBy.length === stored.approvals &&
        model.outcomes === stored.outcomes,
    );
    expect(possible, JSON.stringify({ quorum, before, heard, stored })).not.toEqual([]);
  }
  await checkTables(request, quorum, told);
  // One agent may have three requests open; the next run wants its own.
  await rows(
    connection.db,
    sql`update authorization_request set expires_at = now() where rid = ${request.rid}`,
  );
}

/** Every state that some order of these calls leads to, if each was told what it heard. */
function endings(
  starts: readonly Model[],
  heard: readonly { command: Command; answer: Told }[],
  quorum: number,
): Model[] {
  const found = new Map<string, Model>();
  const seen = new Set<string>();
  const visit = (model: Model, left: readonly number[]): void => {
    const key = JSON.stringify([model, left]);
    if (seen.has(key)) return;
    seen.add(key);
    if (left.length === 0) found.set(JSON.stringify(model), model);
    for (const index of left) {
      const one = heard[index];
      if (!one) continue;
      const next = step(model, one.command, quorum);
      const fits = (next?.told ?? "refused") === one.answer;
      // Two approvals on one device share its one live ceremony: either may find it taken.
      if (!fits && !(one.answer === "refused" && sharesCeremony(heard, index))) continue;
      visit(
        fits && next ? next.model : model,
        left.filter((other) => other !== index),
      );
    }
  };
  for (const start of starts)
    visit(
      start,
      heard.map((_, index) => index),
    );
  return [...found.values()];
}

const sharesCeremony = (heard: readonly { command: Command }[], index: number): boolean => {
  const mine = heard[index]?.command;
  return heard.some(
    ({ command: other }, position) =>
      position !== index &&
      mine?.do === "approve" &&
      other.do === "approve" &&
      other.who === mine.who &&
      other.device === mine.device,
  );
};

/** The table, and nothing else. */
function step(
  model: Model,
  given: Command,
  quorum: number,
): { model: Model; told: Told } | undefined {
  const can = (event: LifecycleEvent): boolean =>
    lifecycle[event].from.some((state) => state === model.state);
  const move = (event: LifecycleEvent, change: Partial<Model> = {}) => {
    const state = lifecycle[event].to;
    return { model: { ...model, state, ...change }, told: state };
  };
  switch (given.do) {
    case "approve": {
      if (!can("approve") || model.overdue || model.approvedBy.includes(given.who))
        return undefined;
      const approvedBy = [...model.approvedBy, given.who].sort();
      const state = approvedBy.length >= quorum ? lifecycle.approve.to : model.state;
      return { model: { ...model, approvedBy, state }, told: state };
    }
    case "deny":
    case "cancel":
    case "redeem":
      return can(given.do) && !model.overdue ? move(given.do) : undefined;
    case "expire":
      return can("expire") && model.overdue ? move("expire") : undefined;
    case "report":
      return can("report") && model.outcomes === given.n - 1
        ? move("report", { outcomes: given.n })
        : undefined;
    case "lapse":
      return { model: { ...model, overdue: true }, told: "expired" };
    case "read": {
      const expired = model.overdue && can("expire");
      return { model, told: expired ? "expired" : model.state };
    }
  }
}

interface OpenRequest {
  rid: string;
  clientId: string;
  arHash: string;
}

/** Two hands store the same request; exactly one does. Each script has an agent of its own. */
async function open(quorum: number): Promise<OpenRequest> {
  const { db } = connection;
  const clientId = await world.pairedAgent();
  const sealed = randomNonce();
  const sealedSha256 = sha256Text(utf8(sealed));
  await putContext(db, { clientId, sealedSha256, sealed });
  const rid = randomId();
  const arHash = randomNonce();
  const store = () =>
    insertRequest(db, {
      ...{ rid, clientId, arHash, sealedSha256, quorum },
      sealedPictureSha256: undefined,
      request: "jws",
      ctx: randomNonce(),
      tier: "red",
      approvers: world.approvers.map(({ id }) => id),
      reqNonce: randomNonce(),
      expiresAt: Math.floor(Date.now() / 1000) + 600,
      allowed: { pendingPerAgent: 3, pushesPerWindow: 3 },
    }).catch(refused);
  const stored = await Promise.all([store(), store()]);
  expect(stored.filter((inserted) => inserted === true)).toHaveLength(1);
  return { rid, clientId, arHash };
}

const refused = (error: unknown): undefined => {
  if (!isUniqueViolation(error)) throw error;
};

async function run({ rid, clientId, arHash }: OpenRequest, given: Command): Promise<Told> {
  const { db } = connection;
  const digest = randomNonce();
  const yes = (event: LifecycleEvent, done: boolean): Told =>
    done ? lifecycle[event].to : "refused";
  switch (given.do) {
    case "approve": {
      const { id: approver, credentialId, deviceKids } = world.approver(given.who);
      const deviceKid = deviceKids[given.device] ?? "";
      const cid = randomId();
      await insertCeremony(db, {
        rid,
        approver,
        deviceKid,
        cid,
        brokerNonce: randomNonce(),
        arHash,
      });
      const approval = world.approval(digest);
      return (
        (await insertApproval(db, {
          rid,
          approver,
          cid,
          credentialId,
          deviceKid,
          digest,
          approval,
        }).catch(refused)) ?? "refused"
      );
    }
    case "deny": {
      const { id: approver, deviceKids } = world.approver(given.who);
      const deviceKid = deviceKids[0] ?? "";
      const denial = { decision: "deny" as const, statement: digest, device_signature: digest };
      return (
        (await insertDenial(db, { rid, approver, deviceKid, digest, denial }).catch(refused)) ??
        "refused"
      );
    }
    case "cancel":
      return yes("cancel", await cancelRequest(db, { rid, clientId, arHash }));
    case "expire":
      return yes("expire", (await expireRequest(db, { rid, arHash })) !== undefined);
    case "redeem":
      // An approval waits for its place in the log, which is nobody's call.
      await sequencer.run();
      return yes("redeem", await redeemRequest(db, { rid, clientId, arHash, keyHash: null }));
    case "report": {
      const report = { rid, clientId, n: given.n, digest, outcome: "jws" };
      return yes("report", (await insertOutcome(db, report).catch(refused)) ?? false);
    }
    case "lapse":
      await rows(
        db,
        sql`update authorization_request set expires_at = now() - interval '1 second' where rid = ${rid}`,
      );
      return "expired";
    case "read":
      return (await findForAgent(db, { rid, clientId }))?.state ?? "refused";
  }
}

/** The stored state, not the effective one. */
async function read(rid: string) {
  const [row] = await rows<{ state: RequestState; approvals: number; outcomes: number }>(
    connection.db,
    sql`select state, approvals, outcomes from authorization_request where rid = ${rid}`,
  );
  if (!row) throw new Error("gone");
  return row;
}

/** Each change has exactly one leaf of its kind, and what was refused has none. */
async function checkTables(
  { rid }: OpenRequest,
  quorum: number,
  told: readonly { command: Command; answer: Told }[],
): Promise<void> {
  const { db } = connection;
  const { state, outcomes } = await read(rid);
  const done = (kind: Command["do"]): number =>
    told.filter(({ command: given, answer }) => given.do === kind && answer !== "refused").length;
  const kinds = await rows<{ kind: string; count: number }>(
    db,
    sql`select kind, count(*)::int as count from leaf where rid = ${rid} and kind <> 'open' group by kind`,
  );
  const expected = {
    request: 1,
    approve: done("approve"),
    deny: done("deny"),
    cancel: done("cancel"),
    expire: done("expire"),
    redeem: done("redeem"),
    outcome: done("report"),
  };
  expect(Object.fromEntries(kinds.map(({ kind, count }) => [kind, count]))).toEqual(
    Object.fromEntries(Object.entries(expected).filter(([, count]) => count > 0)),
  );
  expect(expected.redeem).toBeLessThanOrEqual(1);
  expect(outcomes).toBe(expected.outcome);

  const approvals = await rows<{ approver: string }>(
    db,
    sql`select approver from decision where rid = ${rid} and kind = 'approve'`,
  );
  expect(approvals).toHaveLength(expected.approve);
  expect(new Set(approvals.map(({ approver }) => approver)).size).toBe(approvals.length);
  if (["approved", "redeemed", "reported"].includes(state)) expect(approvals).toHaveLength(quorum);
  if (terminalStates.includes(state)) {
    const settled = ["deny", "cancel", "expire"].filter((kind) =>
      kinds.some((leaf) => leaf.kind === kind),
    );
    expect(settled).toHaveLength(state === "reported" ? 0 : 1);
  }
}
