import { useState } from "preact/hooks";
import { createInvitation } from "../api/endpoints.js";
import { sentenceFor } from "../failure.js";
import { strings } from "../strings.js";
import { localTime } from "../times.js";
import { CopyButton } from "../ui/copy-button.js";
import { Problem } from "../ui/screen.js";

type InviteView =
  | { kind: "idle"; problem?: string }
  | { kind: "issued"; link: string; expiresAt: number };

/** Makes an invitation for another person, as a link and as what can be typed. */
export function Invite() {
  const { you } = strings;
  const [view, setView] = useState<InviteView>({ kind: "idle" });
  const issue = () =>
    void createInvitation().then(
      ({ invitation_link, expires_at }) =>
        setView({ kind: "issued", link: invitation_link, expiresAt: expires_at }),
      (error) => setView({ kind: "idle", problem: sentenceFor(error) }),
    );
  if (view.kind === "idle") {
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
      <p class="code-note">
        <span class="quiet">{you.inviteCode}</span>
        <code>{view.link.split("#").at(-1)}</code>
      </p>
      <p class="quiet">{you.inviteOnce(localTime(view.expiresAt))}</p>
      <CopyButton text={view.link} label={you.copy} />
    </section>
  );
}
