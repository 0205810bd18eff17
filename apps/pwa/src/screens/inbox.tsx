import type { RequestSummary } from "@countersign/shared";
import { useEffect, useState } from "preact/hooks";
import { listRequests } from "../api/endpoints.js";
import { onChange } from "../api/events.js";
import { now } from "../clock.js";
import { sentenceFor } from "../failure.js";
import { PairingNotice } from "../pairing/pairing-notice.js";
import { RecoveryNotice } from "../recovery/recovery-notice.js";
import type { SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { RequestItem } from "../ui/request-item.js";
import { Busy, Empty, Failed, Screen } from "../ui/screen.js";
import { usePairedAgents } from "./agent-names.js";

interface Listed {
  request: RequestSummary;
  /** It no longer waits, but stays in its place while somebody may be about to touch the list. */
  gone: boolean;
}

type InboxView =
  | { kind: "loading" }
  | { kind: "failed"; problem: string; retry: () => void }
  | { kind: "listed"; listed: Listed[] };

/** What waits for this person. It fills and empties by itself, and nothing in it ever changes its place. */
export function InboxScreen({ own }: { own: SignedIn }) {
  const view = useInbox();
  const agents = usePairedAgents(own.approver);
  const listed =
    view.kind === "listed"
      ? view.listed.map(({ request, gone }) => ({
          request,
          gone: gone || request.expires_at <= now.value,
        }))
      : [];
  const waiting = listed.filter(({ gone }) => !gone).length;
  return (
    <Screen title={strings.inbox.title} class="tabbed">
      {!own.device && <p class="notice">{strings.inbox.notEnrolled}</p>}
      <RecoveryNotice />
      <PairingNotice approver={own.approver} />
      {(view.kind === "loading" || !agents) && <Busy label={strings.loading} />}
      {view.kind === "failed" && <Failed sentence={view.problem} onRetry={view.retry} />}
      {agents && view.kind === "listed" && (
        <>
          <p class={waiting > 0 ? "waiting-count" : "unseen"} role="status">
            {strings.inbox.waiting(waiting)}
          </p>
          <ul class="list">
            {listed.map(({ request, gone }) => (
              <li key={request.rid}>
                <RequestItem
                  request={request}
                  agent={agents.get(request.client_id)}
                  gone={gone}
                  testId={gone ? "inbox-gone" : "inbox-item"}
                />
              </li>
            ))}
          </ul>
          {waiting === 0 && <NothingWaiting paired={agents.size > 0} />}
        </>
      )}
    </Screen>
  );
}

function NothingWaiting({ paired }: { paired: boolean }) {
  return (
    <Empty title={strings.inbox.empty}>
      <p>{paired ? strings.inbox.emptyText : strings.inbox.noAgents}</p>
      {!paired && (
        <a class="big primary" href="/pair">
          {strings.agents.pair}
        </a>
      )}
    </Empty>
  );
}

function useInbox(): InboxView {
  const [view, setView] = useState<InboxView>({ kind: "loading" });
  useEffect(() => {
    let latest = 0;
    const refresh = async () => {
      const round = ++latest;
      try {
        const { requests } = await listRequests("inbox");
        // Answers may overtake each other: only the latest question's counts.
        if (round !== latest) return;
        setView((shown) => ({
          kind: "listed",
          listed: merge(shown.kind === "listed" ? shown.listed : [], requests),
        }));
      } catch (error) {
        const problem = sentenceFor(error);
        const retry = () => {
          setView({ kind: "loading" });
          void refresh();
        };
        setView((shown) => (shown.kind === "listed" ? shown : { kind: "failed", problem, retry }));
      }
    };
    const stop = onChange(() => void refresh());
    void refresh();
    return stop;
  }, []);
  return view;
}

/** What is shown keeps its place, answered or not; what is new comes after it. */
function merge(shown: readonly Listed[], requests: readonly RequestSummary[]): Listed[] {
  const current = new Map(requests.map((request) => [request.rid, request]));
  // Once nothing waits, nothing can be touched by mistake: what was gone before goes.
  const stay = requests.length === 0 ? shown.filter(({ gone }) => !gone) : shown;
  const kept = stay.map(({ request }) => {
    const fresh = current.get(request.rid);
    current.delete(request.rid);
    return { request: fresh ?? request, gone: fresh === undefined };
  });
  return [...kept, ...[...current.values()].map((request) => ({ request, gone: false }))];
}
