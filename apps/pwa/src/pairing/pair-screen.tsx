import { visible } from "@countersign/shared";
import { useEffect, useRef, useState } from "preact/hooks";
import { useNonce } from "../api/nonce.js";
import { arrivedPairingLink } from "../arrival.js";
import { LinkField } from "../camera/link-field.js";
import { Scanner } from "../camera/scanner.js";
import type { SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { Busy, Problem, Screen } from "../ui/screen.js";
import { Quoted, Rendered } from "../ui/text.js";
import {
  isPairingLink,
  lookUp,
  type PairView,
  pair,
  resume,
  type VerifiedOffer,
} from "./pairing.js";
import { forgetPairing, pendingPairingOf } from "./pending.js";

/** From a pairing link to an agent that this phone trusts. */
export default function PairScreen({ own }: { own: SignedIn }) {
  const { nonce, renew } = useNonce("pair");
  const [view, setView] = useState<PairView>({ kind: "ask" });
  const leaving = useRef(new AbortController());
  const arrived = arrivedPairingLink.value;

  const look = async (link: string) => {
    setView({ kind: "looking" });
    setView(await lookUp(link, own));
  };
  useEffect(() => {
    if (arrived === null) return;
    arrivedPairingLink.value = null;
    void look(arrived);
  }, [arrived]);
  useEffect(() => {
    const pending = arrived === null ? pendingPairingOf(own.approver) : null;
    if (pending) void resume(pending, own, setView, leaving.current.signal);
    return () => leaving.current.abort();
  }, []);

  /** A whole link needs no further tap; while it is typed, nothing moves but the sentence below. */
  const input = (text: string) => {
    if (isPairingLink(text, own.site.origin)) void look(text);
    else
      setView(
        text.trim() === "" ? { kind: "ask" } : { kind: "ask", problem: strings.pair.wrongLink },
      );
  };

  const scanned = (text: string): boolean => {
    if (!isPairingLink(text, own.site.origin)) return false;
    void look(text);
    return true;
  };

  const tap = (found: VerifiedOffer, pairNonce: string) => {
    void pair(found, own, pairNonce, setView, leaving.current.signal);
    renew();
  };

  const giveUp = () => {
    leaving.current.abort();
    leaving.current = new AbortController();
    forgetPairing();
    setView({ kind: "ask" });
  };

  const title = titleOf(view);
  return (
    <Screen title={title} back={{ href: "/agents", label: strings.agents.title }}>
      {(view.kind === "ask" || view.kind === "looking") && (
        <AskForLink view={view} onInput={input} onCode={scanned} />
      )}
      {(view.kind === "offered" || view.kind === "accepting" || view.kind === "waiting") && (
        <Offer
          view={view}
          ready={nonce.value !== null}
          onPair={() => nonce.value && tap(view.found, nonce.value)}
        />
      )}
      {view.kind === "resuming" && (
        <>
          <Busy label={strings.pair.resuming(visible(view.name))} />
          <button type="button" class="big quiet-button" onClick={giveUp}>
            {strings.pair.startOver}
          </button>
        </>
      )}
      {view.kind === "digits" && <Digits digits={view.digits} />}
      {view.kind === "live" && (
        <>
          <p class="lead" role="status">
            <Quoted>{strings.pair.liveText(visible(view.name))}</Quoted>
          </p>
          <a class="big primary" href="/">
            {strings.pair.liveInbox}
          </a>
        </>
      )}
      {view.kind === "ended" && (
        <>
          <Problem sentence={view.problem ?? strings.pair.endedText} />
          <button type="button" class="big" onClick={() => setView({ kind: "ask" })}>
            {strings.pair.startOver}
          </button>
        </>
      )}
    </Screen>
  );
}

function titleOf(view: PairView): string {
  const { pair: words } = strings;
  if (view.kind === "offered" || view.kind === "accepting") return words.offerTitle;
  if (view.kind === "digits") return words.digitsTitle;
  if (view.kind === "live") return words.liveTitle;
  return view.kind === "ended" ? words.endedTitle : words.title;
}

function AskForLink({
  view,
  onInput,
  onCode,
}: {
  view: Extract<PairView, { kind: "ask" | "looking" }>;
  onInput: (text: string) => void;
  onCode: (text: string) => boolean;
}) {
  const { pair: words } = strings;
  return (
    <>
      <p class="lead">{words.lead}</p>
      <p>
        <code class="command">{strings.pairCommand}</code>
      </p>
      {view.kind === "ask" && <Scanner onCode={onCode} />}
      <p class="or">{words.or}</p>
      <LinkField
        label={words.link}
        hint={words.linkHint}
        disabled={view.kind === "looking"}
        onInput={onInput}
      />
      {view.kind === "looking" && <Busy label={words.looking} />}
      <Problem sentence={view.kind === "ask" ? view.problem : undefined} />
    </>
  );
}

interface OfferProps {
  view: Extract<PairView, { kind: "offered" | "accepting" | "waiting" }>;
  ready: boolean;
  onPair: () => void;
}

function Offer({ view, ready, onPair }: OfferProps) {
  const { pair: words } = strings;
  const { offer, agentJkt } = view.found;
  return (
    <>
      <dl class="rows">
        <OfferRow label={words.name} value={offer.name} />
        <OfferRow label={words.host} value={offer.host} />
        <OfferRow label={words.key} value={agentJkt} />
      </dl>
      {view.kind === "accepting" && <Busy label={words.accepting} />}
      {view.kind === "waiting" && <Busy label={words.waiting} />}
      {view.kind === "offered" && (
        <>
          <p>{words.offerText}</p>
          <Problem sentence={view.problem} />
          <button type="button" class="big primary" disabled={!ready} onClick={onPair}>
            {words.button}
          </button>
        </>
      )}
    </>
  );
}

const OfferRow = ({ label, value }: { label: string; value: string }) => (
  <div class="row">
    <dt>{label}</dt>
    <dd>
      <Rendered>{visible(value)}</Rendered>
    </dd>
  </div>
);

function Digits({ digits }: { digits: string }) {
  return (
    <>
      <p class="compare-digits" data-testid="compare-digits" role="status">
        <span>{digits.slice(0, 3)}</span>
        <span>{digits.slice(3)}</span>
      </p>
      <p>{strings.pair.digitsText}</p>
      <Busy label={strings.pair.digitsWait} />
    </>
  );
}
