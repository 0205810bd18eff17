import { type OutcomeStatus, resultHash, signOutcome } from "@countersign/shared";
import { toNumericDate } from "../clock.js";
import { ClientError } from "../errors.js";
import type { OutcomeRecord } from "../journal/records.js";
import { type Picture, sealPicture, uploadPicture } from "./after-picture.js";
import type { ClientContext } from "./context.js";
import { deliverOutcomes } from "./deliver.js";
import type { OwnRequest } from "./own-request.js";

export interface OutcomeReport {
  status: OutcomeStatus;
  /** One word, `[a-z_]`: the broker can read it. */
  code?: string | undefined;
  /** What the execution gave. Only its salted hash is sent. */
  result?: Uint8Array | undefined;
  /** What the screen shows after it: PNG, JPEG or WebP, sealed for the devices of those who were asked. */
  afterPicture?: Uint8Array | undefined;
}

/** A report as the steps of this library make it. Times are in milliseconds since 1970. */
export interface StepReport extends Omit<OutcomeReport, "afterPicture"> {
  picture?: Picture | undefined;
  startedAtMs?: number | undefined;
  endedAtMs?: number | undefined;
}

/**
 * Step 8: writes the next outcome down, then tells the broker. It stands in the journal even if nobody can be told.
 * @throws ClientError `not_unknown` when another process wrote this outcome first
 */
export async function recordOutcome(
  context: ClientContext,
  own: OwnRequest,
  report: StepReport,
): Promise<OutcomeRecord> {
  const { journal, clock, key } = context;
  const entry = await journal.read(own.rid);
  const n = (entry?.outcomes.length ?? 0) + 1;
  const { status, code, result, picture, startedAtMs } = report;
  const endedAt = toNumericDate(report.endedAtMs ?? clock.now());
  const sealed = picture && (await sealPicture(context, own, picture));
  const outcome = await signOutcome(
    {
      rid: own.rid,
      ar_hash: own.request.arHash,
      ctx: own.request.detail.ctx,
      n,
      status,
      ...(code === undefined ? {} : { code }),
      started_at: startedAtMs === undefined ? endedAt : toNumericDate(startedAtMs),
      ended_at: endedAt,
      ...(result === undefined ? {} : { result_hash: resultHash(own.manifest.salt, result) }),
      ...(sealed ? { sealed_sha256: sealed.sha256 } : {}),
    },
    key,
  );
  const record: OutcomeRecord = {
    v: 1,
    n,
    status,
    ...(code === undefined ? {} : { code }),
    outcome,
  };
  if (!(await journal.addOutcome(own.rid, record))) throw new ClientError("not_unknown");
  if (sealed) await uploadPicture(context, own.rid, sealed);
  await deliverOutcomes(context, own.rid);
  return record;
}
