import type { RequestSummary } from "@countersign/shared";
import { useEffect, useState } from "preact/hooks";
import { listRequests } from "../api/endpoints.js";
import { onChange } from "../api/events.js";
import { now } from "../clock.js";
import { sentenceFor } from "../failure.js";
import type { SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { RequestItem } from "../ui/request-item.js";
import { Busy, Empty, Problem, Screen } from "../ui/screen.js";
import { usePairedAgents } from "./agent-names.js";

type InboxView =
  | { kind: "loading" }
  | { kind: "failed"; problem: string }
  | { kind: "listed"; requests: RequestSummary[] };

/** What waits for this person. It fills and empties by itself. */
export function InboxScreen({ own }: { own: SignedIn }) {
  const view = useInbox();
  const agents = usePairedAgents(own.approver);
  const waiting =
    view.kind === "listed" ? view.requests.filter(({ expires_at }) => expires_at > now.value) : [];
  return (
    <Screen title={strings.inbox.title} class="tabbed">
      {!own.device && <p class="notice">{strings.inbox.notEnrolled}</p>}
      {(view.kind === "loading" || !agents) && <Busy label={strings.loading} />}
      {view.kind === "failed" && <Problem sentence={view.problem} />}
      {agents && view.kind === "listed" && (
        <>
          <ul class="list" aria-live="polite">
            {waiting.map((request) => (
              <li key={request.rid}>
                <RequestItem
                  request={request}
                  agent={agents.get(request.client_id)}
                  testId="inbox-item"
                />
              </li>
            ))}
          </ul>
          {waiting.length === 0 && <NothingWaiting paired={agents.size > 0} />}
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
        if (round === latest) setView({ kind: "listed", requests });
      } catch (error) {
        const problem = sentenceFor(error);
        setView((shown) => (shown.kind === "listed" ? shown : { kind: "failed", problem }));
      }
    };
    const stop = onChange(() => void refresh());
    void refresh();
    return stop;
  }, []);
  return view;
}
