import type { ClientContext } from "../client/context.js";
import { ClientError } from "../errors.js";

/**
 * Ends a pairing. Local and certain: the pin is gone when this resolves, whatever the broker says or withholds;
 * approvals by this person that are still on their way count for nothing. Telling the broker is best effort.
 * @throws ClientError `not_paired`
 */
export async function unpairApprover(
  { pins, log, broker, logger }: ClientContext,
  approver: string,
): Promise<{ brokerTold: boolean }> {
  // One damaged pin must not keep another one alive.
  const known = await pins.all().catch(() => []);
  const pairingId = known.find((pin) => pin.approver === approver)?.pairing_id;
  if (!(await pins.remove(approver))) throw new ClientError("not_paired", { detail: approver });
  // A log that this agent trusts no more counts for as long as anybody is paired under it. Looked at after the removal:
  // of two at once the last one sees that nobody is left.
  const left = await pins.all().catch(() => undefined);
  if (left?.length === 0) await log.forget();
  logger.info("unpaired", { approver });
  if (pairingId === undefined) return { brokerTold: false };
  const told = await broker.endPairing(pairingId);
  if (!told.ok) logger.warn("the broker was not told", { approver, code: told.code });
  return { brokerTold: told.ok };
}
