import { type AgentList, visible } from "@countersign/shared";
import { useEffect, useState } from "preact/hooks";
import { CallError } from "../api/call.js";
import { endPairing, listAgents } from "../api/endpoints.js";
import { useNonce } from "../api/nonce.js";
import { sentenceFor } from "../failure.js";
import { freeze, isFrozen, liftFreeze } from "../keys/freeze.js";
import { forgetPairedAgent, listPairedAgents, type PairedAgent } from "../keys/paired-agents.js";
import { learnAgents } from "../keys/proven-agents.js";
import { PairingNotice } from "../pairing/pairing-notice.js";
import type { SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { localDate, localTime } from "../times.js";
import { AgentName } from "../ui/agent-name.js";
import { ConfirmSheet } from "../ui/confirm-sheet.js";
import { Busy, Empty, Problem, Screen } from "../ui/screen.js";
import { Rendered } from "../ui/text.js";

type ListedAgent = AgentList["agents"][number];

type AgentsView =
  | { kind: "loading" }
  | {
      kind: "listed";
      own: PairedAgent[];
      /** Null while the server's list cannot be had: then nothing is said about it. */
      server: ReadonlyMap<string, ListedAgent> | null;
      problem?: string;
    };

/** The agents that this phone trusts, and how to stop trusting one. */
export default function AgentsScreen({ own }: { own: SignedIn }) {
  const { approver } = own;
  const [view, setView] = useState<AgentsView>({ kind: "loading" });
  const [leaving, setLeaving] = useState<PairedAgent | null>(null);
  const [freezing, setFreezing] = useState<PairedAgent | null>(null);
  const [lifting, setLifting] = useState<PairedAgent | null>(null);
  const { nonce, renew } = useNonce("freeze");

  const load = async () => {
    const mine = await listPairedAgents(approver);
    try {
      const { agents } = await listAgents();
      const server = new Map(agents.map((agent) => [agent.client_id, agent]));
      await learnAgents(agents, own);
      setView({ kind: "listed", own: await listPairedAgents(approver), server });
    } catch (error) {
      setView({ kind: "listed", own: mine, server: null, problem: sentenceFor(error) });
    }
  };
  useEffect(() => void load(), [approver]);

  const unpair = async ({ agent_jkt }: PairedAgent) => {
    setLeaving(null);
    try {
      // Here first: what this phone no longer knows it cannot approve, whatever the server does.
      await forgetPairedAgent(approver, agent_jkt);
      await endPairing(agent_jkt).catch(ignoreUnknown);
      await load();
    } catch (error) {
      const problem = sentenceFor(error);
      setView((shown) => (shown.kind === "listed" ? { ...shown, problem } : shown));
    }
  };

  const held = lifting && view.kind === "listed" && view.server?.get(lifting.agent_jkt)?.freeze;
  const lift = async () => {
    setLifting(null);
    if (!held || !own.device || nonce.value === null) return;
    try {
      await liftFreeze(held, nonce.value, { site: own.site, device: own.device });
      await load();
    } catch (error) {
      const problem = sentenceFor(error);
      setView((shown) => (shown.kind === "listed" ? { ...shown, problem } : shown));
    }
    renew();
  };

  const stop = async ({ agent_jkt }: PairedAgent) => {
    setFreezing(null);
    if (!own.device) return;
    try {
      await freeze(agent_jkt, { site: own.site, device: own.device });
      await load();
    } catch (error) {
      const problem = sentenceFor(error);
      setView((shown) => (shown.kind === "listed" ? { ...shown, problem } : shown));
    }
  };

  const { freeze: freezeWords } = strings;
  return (
    <Screen title={strings.agents.title} class="tabbed">
      <PairingNotice approver={approver} />
      {view.kind === "loading" ? (
        <Busy label={strings.loading} />
      ) : (
        <>
          <Problem sentence={view.problem} />
          <ul class="list">
            {view.own.map((agent) => (
              <AgentItem
                key={agent.agent_jkt}
                agent={agent}
                listed={view.server && (view.server.get(agent.agent_jkt) ?? "unknown")}
                onUnpair={() => setLeaving(agent)}
                onLift={() => setLifting(agent)}
                onFreeze={own.device ? () => setFreezing(agent) : null}
              />
            ))}
          </ul>
          {view.own.length === 0 && (
            <Empty title={strings.agents.empty}>
              <p>{strings.agents.emptyText}</p>
            </Empty>
          )}
          <a class="big primary" href="/pair">
            {strings.agents.pair}
          </a>
          <Elsewhere view={view} />
        </>
      )}
      {lifting && held && (
        <ConfirmSheet
          title={freezeWords.liftTitle(visible(lifting.name))}
          text={freezeWords.liftText}
          confirm={freezeWords.liftConfirm}
          ready={nonce.value !== null && own.device !== null}
          onClose={() => setLifting(null)}
          onConfirm={() => void lift()}
        />
      )}
      {freezing && (
        <ConfirmSheet
          title={freezeWords.title(visible(freezing.name))}
          text={freezeWords.text}
          confirm={freezeWords.confirm}
          danger
          onClose={() => setFreezing(null)}
          onConfirm={() => void stop(freezing)}
        />
      )}
      {leaving && (
        <ConfirmSheet
          title={strings.agents.unpairTitle(visible(leaving.name))}
          text={strings.agents.unpairText}
          confirm={strings.agents.unpairConfirm}
          danger
          onClose={() => setLeaving(null)}
          onConfirm={() => void unpair(leaving)}
        />
      )}
    </Screen>
  );
}

/** A pairing that the server no longer knows is over there already. */
function ignoreUnknown(error: unknown): void {
  if (!(error instanceof CallError && error.code === "not_found")) throw error;
}

interface AgentItemProps {
  agent: PairedAgent;
  listed: ListedAgent | "unknown" | null;
  onUnpair: () => void;
  onLift: () => void;
  /** Null on a device that signs nothing. */
  onFreeze: (() => void) | null;
}

function AgentItem({ agent, listed, onUnpair, onLift, onFreeze }: AgentItemProps) {
  const known = listed && listed !== "unknown" ? listed : undefined;
  const seenAt = known?.last_seen_at;
  const frozen = isFrozen(known?.freeze);
  return (
    <li class="item agent">
      <span class="item-main">
        <AgentName agent={agent} />
        <span class="quiet">
          {strings.agents.pairedAt(localDate(agent.paired_at))}
          {seenAt !== undefined && `, ${strings.agents.lastSeen(localTime(seenAt))}`}
        </span>
        {listed === "unknown" && <span class="quiet">{strings.agents.ended}</span>}
        {frozen && <strong class="frozen">{strings.freeze.frozen}</strong>}
      </span>
      {frozen && (
        <button type="button" class="small" onClick={onLift}>
          {strings.freeze.lift}
        </button>
      )}
      {known && !frozen && onFreeze && (
        <button type="button" class="small" onClick={onFreeze}>
          {strings.freeze.freeze}
        </button>
      )}
      <button type="button" class="small" onClick={onUnpair}>
        {strings.agents.unpair}
      </button>
    </li>
  );
}

function Elsewhere({ view }: { view: Extract<AgentsView, { kind: "listed" }> }) {
  const known = new Set(view.own.map(({ agent_jkt }) => agent_jkt));
  const others = [...(view.server?.values() ?? [])].filter(
    ({ client_id }) => !known.has(client_id),
  );
  if (others.length === 0) return null;
  return (
    <section>
      <h2>{strings.agents.elsewhereTitle}</h2>
      <p class="quiet">{strings.agents.elsewhere}</p>
      <ul class="list">
        {others.map(({ client_id, name, host }) => (
          <li key={client_id} class="item">
            <span class="item-main">
              <Rendered>{visible(name)}</Rendered>
              <span class="quiet">
                {strings.agents.on} <Rendered>{visible(host)}</Rendered>
              </span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
