import type { Me } from "@countersign/shared";
import { useEffect, useState } from "preact/hooks";
import { createInvitation, getMe, signOut } from "../api/endpoints.js";
import { sentenceFor } from "../failure.js";
import { leaveSession, type SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { localDate, localTime } from "../times.js";
import { Busy, Problem, Screen } from "../ui/screen.js";

type YouView =
  | { kind: "loading" }
  | { kind: "failed"; problem: string }
  | { kind: "shown"; me: Me };

export function YouScreen({ own }: { own: SignedIn }) {
  const [view, setView] = useState<YouView>({ kind: "loading" });
  const [problem, setProblem] = useState<string | undefined>();
  useEffect(() => {
    getMe().then(
      (me) => setView({ kind: "shown", me }),
      (error) => setView({ kind: "failed", problem: sentenceFor(error) }),
    );
  }, []);
  const leave = () => void signOut().then(leaveSession, (error) => setProblem(sentenceFor(error)));
  return (
    <Screen title={strings.you.title} class="tabbed">
      <p class="lead">
        {own.name} <span class="quiet">{location.host}</span>
      </p>
      {view.kind === "loading" && <Busy label={strings.loading} />}
      {view.kind === "failed" && <Problem sentence={view.problem} />}
      {view.kind === "shown" && <Keys me={view.me} ownKid={own.device?.kid} />}
      <Invite />
      <Problem sentence={problem} />
      <button type="button" class="big quiet-button" onClick={leave}>
        {strings.you.signOut}
      </button>
    </Screen>
  );
}

function Keys({ me, ownKid }: { me: Me; ownKid: string | undefined }) {
  const { you } = strings;
  return (
    <>
      <h2>{you.devices}</h2>
      <ul class="list">
        {me.devices.map(({ device_kid, created_at, revoked_at }) => (
          <li key={device_kid} class="item">
            <span class="item-main">
              <strong>{device_kid === ownKid ? you.thisDevice : you.otherDevice}</strong>
              <span class="quiet">{you.since(localDate(created_at))}</span>
            </span>
            {revoked_at !== undefined && <span class="state">{you.revoked}</span>}
          </li>
        ))}
      </ul>
      <h2>{you.passkeys}</h2>
      <ul class="list">
        {me.credentials.map(({ id, be, created_at, revoked_at }) => (
          <li key={id} class="item">
            <span class="item-main">
              <strong>{be ? you.synced : you.bound}</strong>
              <span class="quiet">{you.since(localDate(created_at))}</span>
            </span>
            {revoked_at !== undefined && <span class="state">{you.revoked}</span>}
          </li>
        ))}
      </ul>
    </>
  );
}

type InviteView =
  | { kind: "idle"; problem?: string }
  | { kind: "issued"; link: string; expiresAt: number; copied: boolean };

function Invite() {
  const { you } = strings;
  const [view, setView] = useState<InviteView>({ kind: "idle" });
  const issue = () =>
    void createInvitation().then(
      ({ invitation_link, expires_at }) =>
        setView({ kind: "issued", link: invitation_link, expiresAt: expires_at, copied: false }),
      (error) => setView({ kind: "idle", problem: sentenceFor(error) }),
    );
  if (view.kind === "issued") {
    const copy = () =>
      void navigator.clipboard.writeText(view.link).then(() => setView({ ...view, copied: true }));
    return (
      <section>
        <h2>{you.invite}</h2>
        <label class="field">
          {you.inviteLink}
          <input
            type="text"
            readOnly
            value={view.link}
            onFocus={(event) => event.currentTarget.select()}
          />
        </label>
        <p class="quiet">{you.inviteOnce(localTime(view.expiresAt))}</p>
        <button type="button" class="big" onClick={copy}>
          <span aria-live="polite">{view.copied ? you.copied : you.copy}</span>
        </button>
      </section>
    );
  }
  return (
    <section>
      <h2>{you.invite}</h2>
      <p class="quiet">{you.inviteText}</p>
      <Problem sentence={view.problem} />
      <button type="button" class="big" onClick={issue}>
        {you.inviteButton}
      </button>
    </section>
  );
}
