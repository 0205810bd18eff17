import { useLocation } from "preact-iso/router";
import { reachable } from "../api/reachable.js";
import { switchToUpdate } from "../service-worker.js";
import { session } from "../session.js";
import { strings } from "../strings.js";

/**
 * What concerns the whole app. It stands above the screen and never over its buttons. During a review it waits:
 * nothing may push what somebody is about to touch, and an update must not take a half-read request away.
 */
export function Notices() {
  const { path } = useLocation();
  // The other screens say so themselves.
  const signedIn = session.value.status === "signed_in";
  const reviewing = path.startsWith("/requests/");
  const update = reviewing ? null : switchToUpdate.value;
  return (
    <div class={reviewing ? "notices over" : "notices"} role="status">
      {!reachable.value && signedIn && <p class="notice">{strings.notices.offline}</p>}
      {update && (
        <p class="notice">
          {strings.notices.update}
          <button type="button" class="link" onClick={update}>
            {strings.notices.updateNow}
          </button>
        </p>
      )}
    </div>
  );
}
