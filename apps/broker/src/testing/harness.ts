import type { Agent } from "node:https";
import { fileURLToPath } from "node:url";
import { createDatabase } from "@countersign/test-kit/postgres";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";
import { migrateDatabase } from "../db/migrate.js";
import type { Logger } from "../domain/ports.js";
import { readEnvironment } from "../env.js";
import { type RunningBroker, start } from "../start.js";

const migrationsFolder = fileURLToPath(new URL("../../drizzle", import.meta.url));

export const migrate = (url: string): Promise<void> => migrateDatabase(url, migrationsFolder);

const silent = { debug() {}, info() {}, warn() {}, error() {} };

export interface TestBroker extends RunningBroker {
  databaseUrl: string;
  /** Stops it and drops its database. */
  drop(): Promise<void>;
}

/** A whole broker on a database of its own, listening on a port of its own. */
export async function startTestBroker(
  options: {
    databaseUrl?: string;
    port?: number;
    now?: () => number;
    log?: Logger;
    trustedProxies?: string;
    pushHosts?: string;
    egress?: Agent;
    /** Whatever else is configured. */
    variables?: Record<string, string>;
  } = {},
): Promise<TestBroker> {
  const database = options.databaseUrl === undefined ? await createDatabase(migrate) : undefined;
  const databaseUrl = options.databaseUrl ?? database?.url ?? "";
  const env = readEnvironment({
    DATABASE_URL: databaseUrl,
    PORT: String(options.port ?? 0),
    TRUSTED_PROXIES: options.trustedProxies,
    PUSH_HOSTS: options.pushHosts,
    ...options.variables,
  });
  const broker = await start(env, options.log ?? silent, options.now, options.egress);
  return {
    ...broker,
    databaseUrl,
    drop: async () => {
      await broker.stop();
      await database?.drop();
    },
  };
}

/** A phone whose approver is enrolled: the first one, or one that another invited. */
export async function enrolledPhone(
  broker: RunningBroker,
  name: string,
  invitedBy?: SoftPhone,
): Promise<SoftPhone> {
  const phone = await createSoftPhone({ origin: broker.site.origin });
  const invitation = invitedBy ? await invitedBy.invite() : broker.firstInvitation;
  await phone.enrol(invitation ?? "", name);
  return phone;
}

/** The smallest world in which something can be approved. */
export async function pairedWorld(
  broker: RunningBroker,
): Promise<{ phone: SoftPhone; agent: SoftAgent }> {
  const phone = await enrolledPhone(broker, "Ada");
  const agent = await createSoftAgent({ origin: broker.site.origin });
  await agent.pairWith(phone);
  return { phone, agent };
}
