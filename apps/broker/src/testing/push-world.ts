import {
  type PushService,
  startPushService,
  type TestSubscription,
} from "@countersign/test-kit/push-service";
import type { SoftAgent } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { expect } from "vitest";
import { collectingLogger, openDatabase, type Sql } from "./attack.js";
import { pairedWorld, startTestBroker, type TestBroker } from "./harness.js";

export interface PushWorld {
  service: PushService;
  broker: TestBroker;
  sql: Sql;
  phone: SoftPhone;
  agent: SoftAgent;
  logged: string[];
  /** Nobody was alerted yet, nothing is open. @returns the phone's browser, subscribed */
  reset(): Promise<TestSubscription>;
  subscribed(who: SoftPhone): Promise<TestSubscription>;
  close(): Promise<void>;
}

/** A broker whose pushes go to a push service of the tests. */
export async function startPushWorld(): Promise<PushWorld> {
  const { log, logged } = collectingLogger();
  const service = await startPushService();
  const broker = await startTestBroker({ log, pushHosts: service.host, egress: service.agent });
  const sql = openDatabase(broker);
  const { phone, agent } = await pairedWorld(broker);

  async function subscribed(who: SoftPhone): Promise<TestSubscription> {
    const subscription = service.newSubscription();
    expect((await subscribe(who, subscription.json)).status).toBe(204);
    return subscription;
  }

  return {
    ...{ service, broker, sql, phone, agent, logged, subscribed },
    async reset() {
      await sql`update authorization_request set state = 'canceled', expires_at = now() - interval '1 hour'`;
      await sql`delete from push_window`;
      await sql`delete from push_subscription`;
      return subscribed(phone);
    },
    async close() {
      await sql.end();
      await broker.drop();
      await service.close();
    },
  };
}

export const subscribe = (who: SoftPhone, body: object): Promise<Response> =>
  who.call("POST", "/app/push/subscription", body);

export const got = (subscription: TestSubscription, count: number): Promise<void> =>
  expect.poll(() => subscription.received.length).toBe(count);

/** Long enough for a wrong push to arrive: the sender looks once a second. */
export const quiet = () => new Promise((resolve) => setTimeout(resolve, 1500));
