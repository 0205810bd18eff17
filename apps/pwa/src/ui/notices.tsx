import { reachable } from "../api/reachable.js";
import { switchToUpdate } from "../service-worker.js";
import { strings } from "../strings.js";

/** What concerns the whole app. It stands above the screen and never over its buttons. */
export function Notices() {
  const update = switchToUpdate.value;
  return (
    <div class="notices" role="status">
      {!reachable.value && <p class="notice">{strings.notices.offline}</p>}
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
