import {
  fromBase64url,
  hash,
  ProtocolError,
  type RecoveryCompletion,
  type RecoveryStarted,
  type RecoveryStatus,
  randomId,
  randomNonce,
  recoveryCodeHash,
  type SignedRecovery,
  thumbprint,
  verifyRecovery,
} from "@countersign/shared";
import { refuseConflict, type SignedInApprover, tell } from "./authorization.js";
import type { Broker } from "./broker.js";
import { listLiveKeys } from "./db/approvers.js";
import {
  cancelRecovery,
  codeIsOpen,
  completeRecovery,
  countCodes,
  findPendingRecovery,
  findRecovery,
  listOpenFor,
  replaceCodes,
  startRecovery,
} from "./db/recovery.js";
import { cancelRequest } from "./db/requests.js";
import { alertOfRecovery } from "./recovery-alert.js";
import { tokenHash, verifyNewKeys } from "./registration.js";

// Path 6: an approver who lost every device gets the account back, slowly and in sight of whatever is left.
// It is power over no agent: each pinned the old keys, and every pairing ends.

/**
 * Takes R: the hashes of new codes, in place of all older ones, or a stop of the recovery under way.
 * @throws ProtocolError `nonce_stale`, `recovery_invalid` (nothing to stop), and those of the signatures
 */
export async function signedRecovery(
  broker: Broker,
  person: SignedInApprover,
  given: SignedRecovery,
): Promise<RecoveryStatus> {
  const { approver } = person;
  const statement = await verifyRecovery(
    given,
    { site: broker.site, approver },
    await listLiveKeys(broker.db, approver),
    broker.webauthn.verifyAssertion,
  );
  const digest = hash("recovery", fromBase64url(given.statement));
  const deviceKid = statement.device_kid;
  if (statement.op === "codes") {
    const replaced = await replaceCodes(broker.db, {
      approver,
      hashes: statement.code_hashes,
      brokerNonce: statement.broker_nonce,
      credentialId: given.assertion?.id ?? "",
      deviceKid,
      digest,
    }).catch(refuseConflict("conflict"));
    if (!replaced) throw new ProtocolError("nonce_stale");
  } else {
    const id = statement.recovery_id;
    if (!(await cancelRecovery(broker.db, { approver, id, deviceKid, digest }))) {
      throw new ProtocolError("recovery_invalid");
    }
    broker.log.warn({ approver }, "recovery stopped");
  }
  broker.bus.publish({ account: true, approvers: [approver] });
  return recoveryOf(broker, person);
}

/** What every device of the approver shows of it. */
export async function recoveryOf(
  broker: Broker,
  { approver }: SignedInApprover,
): Promise<RecoveryStatus> {
  const [codesLeft, pending] = await Promise.all([
    countCodes(broker.db, approver),
    findPendingRecovery(broker.db, approver),
  ]);
  return { codes_left: codesLeft, ...(pending ? { pending } : {}) };
}

/**
 * Begins a recovery by a code, without a session: withdraws everything open with this approver, tells their
 * devices, and waits for 24 hours. Asked again with the same code it tells how that stands.
 * @throws ProtocolError `recovery_invalid`, `recovery_waiting` (another code began one)
 */
export async function beginRecovery(broker: Broker, code: string): Promise<RecoveryStarted> {
  const codeHash = recoveryCodeHash(code);
  const started = await startRecovery(broker.db, { id: randomId(), codeHash });
  if (started) {
    broker.log.warn({ approver: started.approver }, "recovery begun");
    broker.bus.publish({ account: true, approvers: [started.approver] });
    alertOfRecovery(broker, started.approver).catch(() => {
      broker.log.warn({ approver: started.approver }, "no alert of the recovery was sent");
    });
    await withdrawAll(broker, started.approver);
  }
  const row = await findRecovery(broker.db, codeHash);
  if (!row) {
    const blocked = await codeIsOpen(broker.db, codeHash);
    throw new ProtocolError(blocked ? "recovery_waiting" : "recovery_invalid");
  }
  return { approver: row.approver, name: row.name, ready_at: row.ready_at };
}

/**
 * Gives the account to a new passkey and a new device, once the wait is over: their root begins a new chain,
 * and every old key, session, code and pairing ends.
 * @returns the session's token
 * @throws ProtocolError `recovery_invalid`, `recovery_waiting`, `nonce_stale`, `conflict`, and those of enrolment
 */
export async function finishRecovery(
  broker: Broker,
  given: RecoveryCompletion,
): Promise<{ approver: string; sessionToken: string }> {
  const codeHash = recoveryCodeHash(given.code);
  const row = await findRecovery(broker.db, codeHash);
  if (!row) throw new ProtocolError("recovery_invalid");
  if (!row.ready) throw new ProtocolError("recovery_waiting");
  const { root, head, registered } = await verifyNewKeys(broker, given);
  if (root.approver !== row.approver) throw new ProtocolError("invalid_binding");
  const { approver } = row;
  const sessionToken = randomNonce();
  const completed = await completeRecovery(broker.db, {
    approver,
    codeHash,
    registerNonce: given.register_nonce,
    credentialNonce: root.broker_nonce,
    credential: registered,
    device: root.subject.device,
    deviceKid: thumbprint(root.subject.device.sig_jwk),
    head,
    link: given.root,
    sessionHash: tokenHash(sessionToken),
  }).catch(refuseConflict("conflict"));
  if (!completed) throw new ProtocolError("nonce_stale");
  broker.log.warn({ approver }, "account recovered");
  broker.bus.publish({ account: true, approvers: [approver] });
  await withdrawAll(broker, approver);
  return { approver, sessionToken };
}

async function withdrawAll(broker: Broker, approver: string): Promise<void> {
  for (const open of await listOpenFor(broker.db, approver)) {
    const { rid, ar_hash: arHash, client_id: clientId, approvers } = open;
    if (await cancelRequest(broker.db, { rid, clientId, arHash })) {
      tell(broker, rid, clientId, approvers, "canceled");
    }
  }
}
