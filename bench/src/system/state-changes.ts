import { randomId, randomNonce } from "@countersign/shared";
import { withServer } from "@countersign/test-kit/postgres-server";
import { createEventBus } from "../../../apps/broker/src/adapters/event-bus.js";
import {
  createChangeReader,
  hintChannel,
  notifyBrokers,
} from "../../../apps/broker/src/db/changes.js";
import { connect } from "../../../apps/broker/src/db/client.js";
import { hear } from "../../../apps/broker/src/db/ear.js";
import { cancelRequest } from "../../../apps/broker/src/db/requests.js";
import type { Pair } from "./pairs.js";

export interface StateChanges {
  /** One of the broker's own statements: a request is canceled, and its leaf written. */
  change(): Promise<void>;
  /** The same, and every broker on the database told, as the broker does it. */
  changeAndTell(): Promise<void>;
  close(): Promise<void>;
}

const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

/**
 * The broker's statement and its wake-up without HTTP around them, in this process.
 * @param count how many changes there can be
 */
export async function prepareStateChanges(
  databaseUrl: string,
  { agent, approver }: Pair,
  count: number,
): Promise<StateChanges> {
  const run = randomId();
  const { clientId } = agent;
  const arHash = randomNonce();
  const hash = randomNonce();
  await withServer(
    databaseUrl,
    (
      sql,
    ) => sql`insert into authorization_request (rid, client_id, request, ar_hash, ctx, sealed_sha256, tier,
        approvers, quorum, req_nonce, state, expires_at)
      select ${run} || '-' || i, ${clientId}, 'bench', ${arHash}, ${hash}, ${hash}, 'red', array[${approver}::text], 1,
        ${hash}, 'pending', now() + interval '1 hour'
      from generate_series(1, ${count}::int) i`,
  );
  const { db, close } = connect(databaseUrl);
  const line = connect(databaseUrl, { max: 1 });
  const bus = createEventBus(
    { read: createChangeReader(line.db), notify: () => notifyBrokers(line.db, run) },
    log,
  );
  const ear = hear(databaseUrl, hintChannel, (sender) => {
    if (sender !== run) bus.hinted();
  });
  let next = 0;
  const change = async (): Promise<string> => {
    const rid = `${run}-${++next}`;
    if (!(await cancelRequest(db, { rid, clientId, arHash }))) throw new Error("not canceled");
    return rid;
  };
  return {
    change: async () => void (await change()),
    async changeAndTell() {
      bus.publish({ rid: await change(), state: "canceled", clientId, approvers: [approver] });
    },
    async close() {
      bus.stop();
      await ear.close();
      await line.close();
      await close();
    },
  };
}
