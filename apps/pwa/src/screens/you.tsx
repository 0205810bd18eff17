import { useEffect, useState } from "preact/hooks";
import { signOut } from "../api/endpoints.js";
import { sentenceFor } from "../failure.js";
import { pickAlways, setPickAlways } from "../preferences.js";
import { Alerts } from "../push/alerts.js";
import { ignoreCallError } from "../push/notifications.js";
import { getRecovery } from "../recovery/endpoints.js";
import { RecoveryNotice } from "../recovery/recovery-notice.js";
import { leaveSession, type SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { Problem, Screen } from "../ui/screen.js";
import { Diagnostics } from "./diagnostics.js";
import { Invite } from "./invite.js";

/** Everything about this person and this phone. */
export default function YouScreen({ own }: { own: SignedIn }) {
  const { you } = strings;
  const [problem, setProblem] = useState<string | undefined>();
  const [codesLeft, setCodesLeft] = useState<number | null>(null);
  useEffect(() => {
    void getRecovery().then(({ codes_left }) => setCodesLeft(codes_left), ignoreCallError);
  }, []);
  const leave = () => void signOut().then(leaveSession, (error) => setProblem(sentenceFor(error)));
  return (
    <Screen title={you.title} class="tabbed">
      <RecoveryNotice />
      <p class="account">
        <span class="initial" aria-hidden="true">
          {Array.from(own.name)[0]?.toUpperCase()}
        </span>
        <span>
          <strong>{own.name}</strong>
          <span class="quiet">{location.host}</span>
        </span>
      </p>
      <section>
        <h2>{you.deciding}</h2>
        <ul class="card">
          <li>
            <label class="toggle">
              <span>
                {you.pickAlways}
                <span class="quiet">{you.pickAlwaysText}</span>
              </span>
              <input
                type="checkbox"
                checked={pickAlways.value}
                onChange={(event) => setPickAlways(event.currentTarget.checked)}
              />
            </label>
          </li>
          <li>
            <a class="card-link" href="/practice">
              {you.practise}
            </a>
          </li>
          <li>
            <a class="card-link" href="/oversight">
              {you.oversight}
            </a>
          </li>
        </ul>
      </section>
      <section>
        <h2>{you.devices}</h2>
        <ul class="card">
          <li>
            <a class="card-link" href="/devices">
              {you.devicesLink}
            </a>
          </li>
          <li>
            <a class="card-link" href="/recovery">
              {you.codes}
              {codesLeft !== null && <span class="quiet">{you.codesLeft(codesLeft)}</span>}
            </a>
          </li>
        </ul>
      </section>
      <Alerts own={own} />
      <Invite />
      <Diagnostics />
      <Problem sentence={problem} />
      <button type="button" class="big quiet-button" onClick={leave}>
        {you.signOut}
      </button>
    </Screen>
  );
}
