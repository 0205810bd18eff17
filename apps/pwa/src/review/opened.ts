import type { Bytes, RequestDetail, RequestState, Tree } from "@countersign/shared";
import { CallError } from "../api/call.js";
import { getContext, getPiece, getRequest } from "../api/endpoints.js";
import { nowSeconds } from "../clock.js";
import { findPairedAgent } from "../keys/paired-agents.js";
import type { LogView } from "../log/log.js";
import type { SignedIn } from "../session.js";
import { wait } from "../wait.js";
import { type ShownOutcome, verifyOutcomes } from "./outcomes.js";
import { type Readable, type Refused, type Verified, verifyReview } from "./verify.js";

/** A request as this phone opened it. Fetched once: a later answer of the server never changes what is signed. */
export interface Opened {
  rid: string;
  /** Whom a denial names: the agent by the server's word, where its own word cannot be read. */
  agentJkt: string;
  reqNonce: string;
  /** It was pending when it was verified. Whatever the server says later, nothing else can be approved. */
  decidable: boolean;
  verdict: Readable | Verified | Refused;
  /** The log as this phone saw it when it opened the request. */
  tree: Tree | undefined;
}

/** What may change while somebody reads: the request's life, and nothing of its contents. */
export interface Progress {
  state: RequestState;
  /** NumericDate, by the server's word; what counts is in the signed request. */
  expiresAt: number;
  approvals: number;
  quorum: number;
  decided: "approve" | "deny" | undefined;
  /** A freeze of the agent denied it, and no answer to it. */
  frozen: boolean;
  outcomes: ShownOutcome[];
}

const retryMs = 4_000;

/**
 * @param show called with the text as soon as it is verified, and again when the picture and the log are
 * @param closed when nobody waits for the picture any more
 * @returns what was shown last
 * @throws CallError as the server refuses, or `unreachable`
 */
export async function openRequest(
  rid: string,
  own: SignedIn,
  show: (opened: Opened, progress: Progress) => void,
  closed: AbortSignal,
): Promise<Verified | Refused> {
  // What takes longest on its way is asked for at once.
  const sealing = orNull(getContext(rid));
  sealing.catch(() => undefined);
  const detail = await getRequest(rid);
  // A settled request is only looked at: its deadline is judged by the time when it was made.
  const settled = detail.state !== "pending";
  const looking = settled
    ? undefined
    : import("../log/log.js").then((it) => it.lookAtLog(own.site.issuer));
  looking?.catch(() => undefined);
  const present = async (verdict: Opened["verdict"], log?: LogView) =>
    show(
      {
        rid,
        agentJkt: verdict.agent?.agent_jkt ?? detail.client_id,
        reqNonce: detail.req_nonce,
        decidable: !settled,
        verdict,
        tree: log?.kind === "followed" ? log.tree : undefined,
      },
      await progressOf(detail, verdict),
    );
  let readable: Promise<void> | undefined;
  const sealed = await sealing;
  // One after the other: nothing is shown any more once this has failed.
  const verified = await verifyReview(
    {
      rid,
      detail,
      sealed,
      fetchPicture: (sealedSha256) => orNull(untilThere(() => getPiece(rid, sealedSha256), closed)),
    },
    {
      site: own.site,
      approver: own.approver,
      device: own.device,
      nowSeconds: settled ? Math.min(detail.created_at, nowSeconds()) : nowSeconds(),
      findAgent: (agentJkt) => findPairedAgent(own.approver, agentJkt),
    },
    (text) => {
      readable = present(text);
    },
  ).finally(() => readable);
  const log = await looking;
  const verdict = log ? underLog(verified, log) : verified;
  await present(verdict, log);
  return verdict;
}

/** Nothing is approved while the server's log contradicts what this phone saw of it, or is not to be seen. */
function underLog(verdict: Verified | Refused, log: LogView): Verified | Refused {
  if (log.kind === "followed") return verdict;
  const { agent, request } = verdict;
  return log.kind === "withheld"
    ? { kind: "refused", refusal: "log_withheld", agent, request }
    : { kind: "refused", refusal: "log_contradicted", agent, request, notes: log };
}

/** Looks at how a request fares, without touching what was opened. */
export async function refreshProgress({ rid, verdict }: Opened): Promise<Progress> {
  return progressOf(await getRequest(rid), verdict);
}

async function progressOf(detail: RequestDetail, verdict: Opened["verdict"]): Promise<Progress> {
  const { agent, request } = verdict;
  return {
    state: detail.state,
    expiresAt: request?.claims.exp ?? detail.expires_at,
    approvals: detail.approvals,
    quorum: request?.detail.quorum ?? detail.quorum,
    decided: detail.decided,
    frozen: detail.freeze !== undefined,
    outcomes:
      agent && request
        ? await verifyOutcomes(detail.outcomes, request, agent.jwk)
        : detail.outcomes.map(() => null),
  };
}

/** The text is read meanwhile, and may be denied: what only stands between this phone and the server does not take it away. */
async function untilThere(fetch: () => Promise<Bytes>, closed: AbortSignal): Promise<Bytes> {
  for (;;) {
    try {
      return await fetch();
    } catch (error) {
      const isAway =
        error instanceof CallError && ["unreachable", "unavailable"].includes(error.code);
      if (!isAway || closed.aborted) throw error;
      await wait(retryMs, closed);
    }
  }
}

/** Sealed octets, or null where the server has none any more: it deletes them a while after the end. */
async function orNull(octets: Promise<Bytes>): Promise<Bytes | null> {
  try {
    return await octets;
  } catch (error) {
    if (error instanceof CallError && error.code === "not_found") return null;
    throw error;
  }
}
