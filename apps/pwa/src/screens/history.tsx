import type { RequestSummary } from "@countersign/shared";
import { useEffect, useState } from "preact/hooks";
import { listRequests } from "../api/endpoints.js";
import { sentenceFor } from "../failure.js";
import type { SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { RequestItem } from "../ui/request-item.js";
import { Busy, Empty, Failed, Problem, Screen } from "../ui/screen.js";
import { usePairedAgents } from "./agent-names.js";

type HistoryView =
  | { kind: "loading" }
  | { kind: "failed"; problem: string }
  | { kind: "listed"; requests: RequestSummary[]; next: string | undefined; problem?: string };

/** What was asked and what became of it, newest first, page by page. */
export default function HistoryScreen({ own }: { own: SignedIn }) {
  const agents = usePairedAgents(own.approver);
  const [view, setView] = useState<HistoryView>({ kind: "loading" });

  const load = async (earlier: RequestSummary[], before?: string) => {
    try {
      const { requests, next } = await listRequests("history", before);
      setView({ kind: "listed", requests: [...earlier, ...requests], next });
    } catch (error) {
      const problem = sentenceFor(error);
      // What is shown already stays.
      setView((shown) =>
        shown.kind === "listed" ? { ...shown, problem } : { kind: "failed", problem },
      );
    }
  };
  const retry = () => {
    setView({ kind: "loading" });
    void load([]);
  };
  useEffect(() => void load([]), []);

  return (
    <Screen title={strings.history.title} class="tabbed">
      {(view.kind === "loading" || !agents) && <Busy label={strings.loading} />}
      {view.kind === "failed" && <Failed sentence={view.problem} onRetry={retry} />}
      {agents && view.kind === "listed" && (
        <>
          <ul class="list">
            {view.requests.map((request) => (
              <li key={request.rid}>
                <RequestItem
                  request={request}
                  agent={agents.get(request.client_id)}
                  testId="history-item"
                />
              </li>
            ))}
          </ul>
          {view.requests.length === 0 && (
            <Empty title={strings.history.empty}>
              <p>{strings.history.emptyText}</p>
            </Empty>
          )}
          <Problem sentence={view.problem} />
          {view.next !== undefined && (
            <button
              type="button"
              class="big quiet-button"
              onClick={() => void load(view.requests, view.next)}
            >
              {strings.history.more}
            </button>
          )}
        </>
      )}
    </Screen>
  );
}
