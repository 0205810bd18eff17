import {
  type FreezeReceipt,
  fromBase64url,
  hash,
  ProtocolError,
  parseFreeze,
  type SignedFreeze,
  verifyFreeze,
} from "@countersign/shared";
import { type SignedInApprover, tell } from "./authorization.js";
import type { Broker } from "./broker.js";
import { listLiveKeys } from "./db/approvers.js";
import {
  denyByFreeze,
  findFreeze,
  insertFreeze,
  insertLift,
  listOpen,
  type NewFreeze,
} from "./db/freezes.js";

// Path 5: an approver stops an agent as a whole, and lets it go on.

/**
 * Takes F. Freezing denies everything that the agent has open and refuses what it asks from now on, for whomever;
 * lifting takes a passkey and the same approver. The same F again gets the same answer.
 * @throws ProtocolError `not_found` (not paired), `freeze_stale`, `freeze_invalid`, `invalid_binding`,
 *   `device_unknown`, `device_signature_invalid`, `credential_unknown`, `assertion_invalid`, `nonce_stale`
 * @see protocol section 3, object 9
 */
export async function setFreeze(
  broker: Broker,
  person: SignedInApprover,
  clientId: string,
  given: SignedFreeze,
): Promise<FreezeReceipt> {
  const { approver } = person;
  const before = await findFreeze(broker.db, { clientId, approver });
  const receipt = (): FreezeReceipt => ({ op: statement.op, seq: statement.seq });
  const statement = parseFreeze(given);
  if (before?.freeze.statement === given.statement) return receipt();
  await verifyFreeze(
    given,
    { site: broker.site, approver, agentJkt: clientId },
    await listLiveKeys(broker.db, approver),
    broker.webauthn.verifyAssertion,
  );
  const next: NewFreeze = {
    approver,
    clientId,
    seq: statement.seq,
    op: statement.op,
    freeze: given,
    digest: hash("freeze", fromBase64url(given.statement)),
    deviceKid: statement.device_kid,
    lifting:
      statement.op === "unfreeze" && given.assertion
        ? { credentialId: given.assertion.id, brokerNonce: statement.broker_nonce }
        : null,
  };
  if (next.lifting) {
    if (!(await insertLift(broker.db, next))) {
      throw new ProtocolError(await whyNot(broker, next, before?.seq ?? 0));
    }
  } else await stop(broker, next, before?.seq ?? 0);
  broker.log.info({ clientId, approver, op: statement.op }, "freeze changed");
  broker.bus.publish({ account: true, clientId, approvers: [approver] });
  return receipt();
}

async function stop(broker: Broker, next: NewFreeze, seqBefore: number): Promise<void> {
  const { clientId } = next;
  const denied = await insertFreeze(broker.db, {
    ...next,
    rids: await listOpen(broker.db, clientId),
  });
  if (!denied) throw new ProtocolError(await whyNot(broker, next, seqBefore));
  for (let rest = denied; ; ) {
    for (const { rid, approvers } of rest) tell(broker, rid, clientId, approvers, "denied");
    // A request that was being stored at that moment saw no freeze, and the freeze did not see it.
    const rids = await listOpen(broker.db, clientId);
    if (rids.length === 0) return;
    rest = await denyByFreeze(broker.db, { ...next, rids });
  }
}

async function whyNot(
  broker: Broker,
  next: NewFreeze,
  seqBefore: number,
): Promise<"freeze_stale" | "nonce_stale" | "not_found"> {
  const now = await findFreeze(broker.db, next);
  const isNext = next.seq === seqBefore + 1 && (now?.seq ?? 0) === seqBefore;
  if (!isNext || now?.op === next.op || (!now && next.op === "unfreeze")) return "freeze_stale";
  return next.lifting ? "nonce_stale" : "not_found";
}
