import { randomInt } from "node:crypto";
import { ProtocolError } from "@countersign/shared";
import {
  type BrokerProcess,
  buildWithFaults,
  freePort,
  startBrokerProcess,
} from "@countersign/test-kit/broker-process";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";
import { openSql, type Sql } from "@countersign/test-kit/sql";
import { afterAll, beforeAll, expect, it } from "vitest";
import { migrate } from "../testing/harness.js";
import { from, newLedger, until } from "../testing/load.js";
import { pairClient, startClient } from "./guarded.js";
import { isReady, long, printTable, progress, report, timeUntil } from "./report.js";

// The broker killed at each step of enrolling, pairing, adding a phone and recovering. The person tries again, or goes on.

const rounds = long ? 100 : 1;

let database: TestDatabase;
let sql: Sql;
let port: number;
let broker: BrokerProcess;
let inviter: SoftPhone;
let count = 0;

const startOn = (fault?: string) =>
  startBrokerProcess({
    DATABASE_URL: database.url,
    PORT: String(port),
    TRUSTED_PROXIES: "127.0.0.1",
    ...(fault === undefined ? {} : { FAULT: fault }),
  });

beforeAll(async () => {
  await buildWithFaults();
  database = await createDatabase(migrate);
  sql = openSql(database.url);
  port = await freePort();
  broker = await startOn();
  inviter = await newPhone();
  await inviter.enrol(broker.firstInvitation ?? "", "Approver");
});
afterAll(async () => {
  await broker.stop();
  await sql.end();
  await database.drop();
  printTable();
});

const address = () => `10.${randomInt(1, 250)}.${randomInt(250)}.${randomInt(1, 250)}`;
const newPhone = () => createSoftPhone({ origin: broker.origin, fetch: from(address()) });

/** Again for as long as the broker is away. */
const again = <T>(act: () => Promise<T>): Promise<T> => until(newLedger(), act);

/** As {@link again}; refused as done already when the first try was taken. What follows asks whether it was. */
const againUntilTaken = (act: () => Promise<unknown>): Promise<unknown> =>
  again(act).catch((error: unknown) => {
    if (!(error instanceof ProtocolError)) throw error;
  });

async function enrolledPhone(): Promise<SoftPhone> {
  const phone = await newPhone();
  const invitation = await again(() => inviter.invite());
  count += 1;
  try {
    await again(() => phone.enrol(invitation, `Approver ${count}`));
  } catch (error) {
    // The first try was taken, and its answer lost: the passkey is there, and signs in.
    if (!(error instanceof ProtocolError) || error.code !== "invitation_invalid") throw error;
    await again(() => phone.signIn());
  }
  expect((await again(() => phone.me())).name).toBe(`Approver ${count}`);
  return phone;
}

const action = { tool: "file.delete", args: {} };

/** An agent that this person is paired with, anew where a try came to nothing. */
async function pairedClient(phone: SoftPhone) {
  const { client, close } = await startClient({ origin: broker.origin, address: address() });
  // Whoever gets no answer opens the same link again.
  const person = { acceptPairing: (link: string) => again(() => phone.acceptPairing(link)) };
  for (let tries = 0; ; tries++) {
    try {
      const { approver } = await pairClient(client, person);
      expect(approver).toBe(phone.approver());
      break;
    } catch (error) {
      if (tries === 3) throw error;
      await timeUntil(isReady(port));
    }
  }
  const agents = await again(() => phone.pairedAgents());
  expect(agents).toHaveLength(1);
  return { client, close, agentJkt: agents[0]?.client_id ?? "" };
}

async function pairAndUnpair(phone: SoftPhone): Promise<void> {
  const { client, close, agentJkt } = await pairedClient(phone);
  expect((await client.request(action)).status).toBe("pending");
  await again(async () => {
    const answer = await phone.call("DELETE", `/app/agents/${agentJkt}`);
    // 404: the first try was taken.
    if (!answer.ok && answer.status !== 404) throw new TypeError("fetch failed");
  });
  expect(await again(() => phone.pairedAgents())).toEqual([]);
  await close();
}

async function freezeAndLift(phone: SoftPhone): Promise<void> {
  const { client, close, agentJkt } = await pairedClient(phone);
  const asked = await client.request(action);
  if (asked.status !== "pending") throw new Error(asked.status);
  await againUntilTaken(() => phone.keys.freeze(agentJkt));
  expect((await client.wait(asked.rid)).status).toBe("frozen");
  await againUntilTaken(() => phone.keys.unfreeze(agentJkt));
  expect((await client.request(action)).status).toBe("pending");
  await close();
}

async function addPhone(phone: SoftPhone): Promise<void> {
  const second = await newPhone();
  const offered = await again(() => second.keys.offerLink());
  await againUntilTaken(() => phone.keys.addByLink(offered.link));
  expect(await again(() => offered.added())).toBe(phone.approver());
  expect((await again(() => phone.keys.chain())).seq).toBe(1);
}

async function recoverAccount(phone: SoftPhone): Promise<void> {
  const codes = await again(() => phone.keys.makeRecoveryCodes());
  expect(await again(() => phone.keys.recovery())).toMatchObject({ codes_left: codes.length });
  const begun = await newPhone();
  await again(() => begun.keys.beginRecovery(codes[0] ?? ""));
  const { pending } = await again(() => phone.keys.recovery());
  await againUntilTaken(() => phone.keys.stopRecovery(pending?.recovery_id ?? ""));
  expect((await again(() => phone.keys.recovery())).pending).toBeUndefined();
  const found = await newPhone();
  await again(() => found.keys.beginRecovery(codes[1] ?? ""));
  await sql`update recovery set ready_at = now()`;
  try {
    await again(() => found.keys.finishRecovery(codes[1] ?? ""));
  } catch (error) {
    // It took effect, and its answer was lost: the new passkey signs in.
    if (!(error instanceof ProtocolError)) throw error;
    await again(() => found.signIn());
  }
  expect((await again(() => found.me())).approver).toBe(phone.approver());
}

const drives: Record<string, (phone: SoftPhone) => Promise<void>> = {
  enrol: async () => {
    await enrolledPhone();
  },
  offer: pairAndUnpair,
  accept: pairAndUnpair,
  reveal: pairAndUnpair,
  confirm: pairAndUnpair,
  unpair: pairAndUnpair,
  freeze: freezeAndLift,
  lift: freezeAndLift,
  link: addPhone,
  key: addPhone,
  codes: recoverAccount,
  recover: recoverAccount,
  stop: recoverAccount,
  recovered: recoverAccount,
};

/** Accounts that somebody could use half, chains that say something else than the keys, pairings without an agent. */
async function halfValid(): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    with live as (
      select a.id, a.generation,
        (select count(*) from credential c where c.approver = a.id and c.revoked_at is null)
        + (select count(*) from device d where d.approver = a.id and d.revoked_at is null) as keys,
        (select count(*) from chain_link l where l.approver = a.id and l.generation = a.generation) as links
      from approver a
    )
    select (select count(*) from live where keys <> links + 1)::int
      + (select count(*) from pairing p where p.state = 'live'
          and not exists (select 1 from agent g where g.client_id = p.client_id))::int
      + (select count(*) from (select client_id, approver from pairing where state = 'live'
          group by 1, 2 having count(*) > 1) twice)::int
      + (select count(*) from recovery r where not exists (select 1 from approver a where a.id = r.approver))::int
      as count`;
  return row?.count ?? 0;
}

it.each(Object.keys(drives).flatMap((step) => [`${step}:before`, `${step}:after`]))(
  "broker killed at %s",
  async (point) => {
    const fault = `broker killed, ${point.replace(":", ", ")}`;
    const drive = drives[point.split(":")[0] ?? ""] as (phone: SoftPhone) => Promise<void>;
    const recoveries: number[] = [];
    let wrong = 0;
    for (let round = 0; round < rounds; round++) {
      if (round % 10 === 0) progress(fault, round, rounds);
      const phone = point.startsWith("enrol") ? inviter : await enrolledPhone();
      await broker.stop();
      broker = await startOn(point);
      const work = drive(phone);
      work.catch(() => {});
      const over = work.then(() => Promise.reject(new Error(`${point} was never reached`)));
      over.catch(() => {});
      await Promise.race([broker.ended, over]);
      const began = performance.now();
      broker = await startOn();
      await timeUntil(isReady(port));
      recoveries.push(performance.now() - began);
      await work;
      wrong += await halfValid();
    }
    // What was acknowledged is asked for above, step by step.
    report(fault, rounds, { lost: 0, doubled: 0, wrong }, recoveries);
  },
);
