import {
  type Ceremony,
  hashBytes,
  randomId,
  randomNonce,
  statementBytes,
} from "@countersign/shared";
import { signal } from "@preact/signals";
import { nowSeconds } from "../clock.js";
import { sentenceFor } from "../failure.js";
import { assertWith } from "../keys/passkey.js";
import type { Opened, Progress } from "../review/opened.js";
import type { CodeCheck } from "../review/pick-code.js";
import type { Answer, Review, ReviewView } from "../review/review.js";
import type { SignedIn } from "../session.js";

const ceremonySeconds = 600;

/** The same screen's other end: nothing is fetched, and nothing is sent. */
export function practiceReview(
  own: SignedIn,
  request: { opened: Opened; progress: Progress },
): Review {
  const { opened } = request;
  const view = signal<ReviewView>({ kind: "open", ...request });
  const answer = signal<Answer>({ kind: "none" });
  const ceremony = signal<Ceremony | null>({
    cid: randomId(),
    broker_nonce: randomNonce(),
    expires_at: nowSeconds() + ceremonySeconds,
    credential_ids: [],
  });
  const codeCheck = signal<CodeCheck>({ kind: "compare" });

  const settle = (decision: "approve" | "deny") => {
    const state = decision === "deny" ? "denied" : "reported";
    answer.value = { kind: "given", decision };
    view.value = { kind: "open", opened, progress: { ...request.progress, state } };
  };

  const approve = async () => {
    const { device, site } = own;
    if (opened.verdict.kind !== "verified" || !device || !ceremony.value) return;
    if (answer.value.kind !== "none") return;
    const statement = statementBytes(
      {
        site,
        request: opened.verdict.request,
        viewHash: opened.verdict.viewHash,
        reqNonce: opened.reqNonce,
      },
      {
        cid: ceremony.value.cid,
        brokerNonce: ceremony.value.broker_nonce,
        approver: own.approver,
        deviceKid: device.kid,
      },
    );
    // H("practice", S) and never H("approve", S): nobody can take this for a decision.
    const asserting = assertWith(hashBytes("practice", statement), site.rp_id);
    answer.value = { kind: "deciding" };
    try {
      await asserting;
      settle("approve");
    } catch (error) {
      answer.value = { kind: "none", problem: sentenceFor(error) };
    }
  };

  return {
    view,
    answer,
    ceremony,
    codeCheck,
    pickCode: () => undefined,
    reload: () => undefined,
    approve: () => void approve(),
    deny: () => settle("deny"),
    freeze: () => settle("deny"),
    sendAgain: () => undefined,
    close: () => undefined,
  };
}
