import type { Evidence } from "@countersign/shared";
import type { Deadline } from "./deadline.js";
import type { OwnRequest } from "./own-request.js";

/** A request as this process holds it, between asking and executing. */
export interface HeldRequest {
  own: OwnRequest;
  deadline: Deadline;
  /**
   * Lets this process, and only it, ask again for a redemption whose reply was lost. Never written down: whoever
   * finds the disk must not be able to redeem a second time.
   */
  idempotencyKey: string;
  /** As it came; verified anew whenever it is used. */
  evidence: Evidence | undefined;
  /** This process claimed the approval at this time, in milliseconds since 1970, and may report on it. */
  claimedAtMs: number | undefined;
}
