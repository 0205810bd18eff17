import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { freePort } from "@countersign/test-kit/broker-process";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import { type PushService, startPushService } from "@countersign/test-kit/push-service";
import { createSoftAgent } from "@countersign/test-kit/soft-agent";
import { createSoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connect } from "./db/client.js";
import { type ClaimedPush, claimPushes } from "./db/pushes.js";
import { openDatabase, type Sql } from "./testing/attack.js";
import { migrate, startTestBroker, type TestBroker } from "./testing/harness.js";

const program = fileURLToPath(new URL("testing/push-broker.ts", import.meta.url));

let service: PushService;
let database: TestDatabase;
let sql: Sql;

beforeAll(async () => {
  service = await startPushService();
  database = await createDatabase(migrate);
  sql = openDatabase({ databaseUrl: database.url } as TestBroker);
});
afterAll(async () => {
  await sql.end();
  await database.drop();
  await service.close();
});

/** @returns the process, and the link for its first approver */
async function spawnBroker(port: number): Promise<{ child: ChildProcess; invitation: string }> {
  const variables = { DATABASE_URL: database.url, PORT: String(port), PUSH_HOSTS: service.host };
  const child = spawn(
    process.execPath,
    [
      ...["--conditions=@countersign/source", "--import=tsx"],
      ...[program, service.cert, JSON.stringify(variables)],
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [line] = await once(child.stdout, "data");
  return { child, invitation: String(line).trim() };
}

it("survives the broker that was sending it: another one sends it again, and nobody sees it twice", async () => {
  const port = await freePort();
  const { child, invitation } = await spawnBroker(port);
  const origin = `http://localhost:${port}`;
  const phone = await createSoftPhone({ origin });
  await phone.enrol(invitation, "Ada");
  const agent = await createSoftAgent({ origin });
  await agent.pairWith(phone);
  const browser = service.newSubscription();
  await phone.call("POST", "/app/push/subscription", browser.json);

  browser.answers.push("hangs");
  const { rid } = await agent.request();
  await expect.poll(() => browser.received.length).toBe(1);
  child.kill("SIGKILL");
  await once(child, "exit");

  const broker = await startTestBroker({
    ...{ databaseUrl: database.url, port },
    ...{ pushHosts: service.host, egress: service.agent },
  });
  const [held] =
    await sql`select stage, due_at > now() as leased from push_outbox where rid = ${rid}`;
  expect(held).toEqual({ stage: "ask", leased: true });
  await sql`update push_outbox set due_at = now() where rid = ${rid}`;
  await expect.poll(() => browser.received.length).toBe(2);
  await expect
    .poll(async () => (await sql`select stage from push_outbox where rid = ${rid}`)[0]?.["stage"])
    .toBe("asked");
  const [first, second] = browser.received;
  expect(second?.headers["topic"]).toBe(first?.headers["topic"]);
  expect(second?.message.notification.tag).toBe(first?.message.notification.tag);
  await broker.stop();
});

it("is claimed once, however many brokers look at the same time", async () => {
  await sql`update push_outbox set stage = 'ask', due_at = now()`;
  const brokers = Array.from({ length: 6 }, () => connect(database.url));
  // Connections first, so that the claims meet.
  await Promise.all(brokers.map(({ db }) => claimPushes(db, 0)));
  for (let round = 0; round < 20; round++) {
    const claims = await Promise.all(brokers.map(({ db }) => claimPushes(db, 10)));
    expect(claims.flat().map(({ rid }: ClaimedPush) => rid)).toHaveLength(1);
    await sql`update push_outbox set due_at = now()`;
  }
  await Promise.all(brokers.map(({ close }) => close()));
});
