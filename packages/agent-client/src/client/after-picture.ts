import { type Bytes, ProtocolError, sealAfterPicture, sha256Text } from "@countersign/shared";
import { toNumericDate } from "../clock.js";
import { retrying } from "../http/retry.js";
import { refreshPins } from "./chain.js";
import type { ClientContext } from "./context.js";
import type { OwnRequest } from "./own-request.js";
import type { readPicture } from "./picture.js";

export type Picture = NonNullable<ReturnType<typeof readPicture>>;

/** The outcome is not written down yet, so nothing may hold this up for long. */
const chainsMs = 3_000;
const uploadForMs = 10_000;

/**
 * Seals what an action left behind for the keys that count now of those who were asked. Of a doubt about them comes
 * a report without a picture: the report matters more.
 */
export async function sealPicture(
  context: ClientContext,
  { rid, request }: OwnRequest,
  picture: Picture,
): Promise<{ octets: Bytes; sha256: string } | undefined> {
  const { approvers } = request.detail;
  const { clock, logger, pins } = context;
  const without = (code: string): undefined =>
    void logger.warn("reported without the after-picture", { rid, code });
  const refreshed = await refreshPins(context, approvers, {
    untilMs: clock.monotonic(),
    signal: AbortSignal.timeout(chainsMs),
  });
  if (refreshed.status !== "current") return without(refreshed.code);
  const asked = (await pins.all()).filter(({ approver }) => approvers.includes(approver));
  const recipients = asked.flatMap(({ devices }) => devices.map(({ enc_jwk }) => enc_jwk));
  try {
    const taken = { ...picture, capturedAt: toNumericDate(clock.now()) };
    const octets = await sealAfterPicture(rid, taken, recipients);
    return { octets, sha256: sha256Text(octets) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return without(error.code);
  }
}

/** Before the outcome that names it: the broker binds it then. An outcome whose picture did not arrive says less, and counts. */
export async function uploadPicture(
  { broker, clock, logger }: ClientContext,
  rid: string,
  sealed: { octets: Bytes; sha256: string },
): Promise<void> {
  const untilMs = clock.monotonic() + uploadForMs;
  const stored = await retrying(() => broker.putContext(sealed.octets, sealed.sha256), {
    clock,
    untilMs,
  });
  if (!stored.ok) logger.warn("the after-picture was not taken", { rid, code: stored.code });
}
