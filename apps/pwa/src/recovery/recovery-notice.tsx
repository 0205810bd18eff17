import { useEffect, useState } from "preact/hooks";
import { onAccountChange } from "../api/events.js";
import { ignoreCallError } from "../push/notifications.js";
import { strings } from "../strings.js";
import { getRecovery } from "./endpoints.js";

/** On every device of the account: somebody has used a recovery code, and it can still be stopped. */
export function RecoveryNotice() {
  const [pending, setPending] = useState(false);
  useEffect(() => {
    const look = () =>
      void getRecovery().then((status) => setPending(!!status.pending), ignoreCallError);
    look();
    return onAccountChange(look);
  }, []);
  return (
    pending && (
      <p class="notice" role="alert">
        {strings.inbox.recovering}
        <a class="inline-link" href="/recovery">
          {strings.inbox.recoveringLook}
        </a>
      </p>
    )
  );
}
