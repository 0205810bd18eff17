import type { NotApproved } from "./answer.js";
import type { ClientContext } from "./context.js";
import type { OwnRequest } from "./own-request.js";
import { finish } from "./settle.js";

/**
 * Takes a request back. Certain at once, in the agent's own journal: no approval of it opens anything any more.
 * The prompt on the phone goes when the broker hears of it. After a claim there is nothing left to take back, and
 * the answer says what became of it.
 */
export async function cancelRequest(context: ClientContext, own: OwnRequest): Promise<NotApproved> {
  const answer = await finish(context, own, { status: "canceled" });
  if (answer.status === "canceled") {
    const told = await context.broker.cancel(own.rid);
    if (!told.ok) context.logger.warn("the broker was not told", { rid: own.rid, code: told.code });
  }
  return answer;
}
