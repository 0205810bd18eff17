import type { Oversight } from "@countersign/shared";
import { useEffect, useState } from "preact/hooks";
import { sentenceFor } from "../failure.js";
import type { PairedAgent } from "../keys/paired-agents.js";
import { usePairedAgents } from "../screens/agent-names.js";
import type { SignedIn } from "../session.js";
import { oversightStrings as words } from "../strings/oversight.js";
import { strings } from "../strings.js";
import { age } from "../times.js";
import { AgentName } from "../ui/agent-name.js";
import { Busy, Empty, Failed, Screen } from "../ui/screen.js";
import { getOversight } from "./endpoints.js";

type OversightView =
  | { kind: "loading" }
  | { kind: "failed"; problem: string }
  | { kind: "shown"; figures: Oversight };

/** What the log says of how this person decides. */
export default function OversightScreen({ own }: { own: SignedIn }) {
  const agents = usePairedAgents(own.approver);
  const [view, setView] = useState<OversightView>({ kind: "loading" });
  const load = () => {
    setView({ kind: "loading" });
    void getOversight().then(
      (figures) => setView({ kind: "shown", figures }),
      (error) => setView({ kind: "failed", problem: sentenceFor(error) }),
    );
  };
  useEffect(load, []);
  return (
    <Screen title={words.title} back={{ href: "/you", label: strings.you.title }}>
      {(view.kind === "loading" || !agents) && <Busy label={strings.loading} />}
      {view.kind === "failed" && <Failed sentence={view.problem} onRetry={load} />}
      {agents && view.kind === "shown" && <Figures figures={view.figures} agents={agents} />}
    </Screen>
  );
}

interface FiguresProps {
  figures: Oversight;
  agents: ReadonlyMap<string, PairedAgent>;
}

function Figures({ figures, agents }: FiguresProps) {
  if (figures.requests === 0) {
    return (
      <Empty title={words.empty}>
        <p>{words.emptyText}</p>
      </Empty>
    );
  }
  return (
    <>
      <p class="lead">{words.lead(figures.days, figures.requests)}</p>
      <p class="quiet">{words.why}</p>
      <section>
        <h2>{words.times}</h2>
        <ul class="card" data-testid="oversight-times">
          <li>
            <span>
              <strong>{words.toDecision}</strong>
              <span class="quiet">{spread(figures.to_decision)}</span>
              <span class="quiet">{words.answered(figures.to_decision.count)}</span>
            </span>
          </li>
          <li>
            <span>
              <strong>{words.onScreen}</strong>
              <span class="quiet">{spread(figures.on_screen)}</span>
              <span class="quiet">{words.onScreenOf(figures.on_screen.count)}</span>
            </span>
          </li>
        </ul>
      </section>
      <section>
        <h2>{words.agents}</h2>
        <ul class="card" data-testid="oversight-agents">
          {figures.agents.map((of) => (
            <li key={of.client_id}>
              <span>
                <AgentName agent={agents.get(of.client_id)} />
                <span class="quiet">{answers(of)}</span>
                <span class="quiet">{words.asked(of.requests, of.busiest_minute)}</span>
              </span>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}

function spread({ median, p90 }: Oversight["to_decision"]): string {
  if (median === null || p90 === null) return words.noAnswers;
  return words.spread(age(Math.round(median)), age(Math.round(p90)));
}

function answers({ approved, denied }: Oversight["agents"][number]): string {
  const answered = approved + denied;
  if (answered === 0) return words.unanswered;
  return words.approved(Math.round((100 * approved) / answered), answered);
}
