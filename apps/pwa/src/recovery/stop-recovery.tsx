import { recoveryStrings as words } from "../strings/recovery.js";
import { localTime } from "../times.js";

interface StopRecoveryProps {
  /** NumericDate, both. */
  startedAt: number;
  readyAt: number;
  /** Null on a device that is not enrolled, or while it signs. */
  onStop: (() => void) | null;
}

/** Somebody has used a code of this account. Whoever holds a device of it has the last word until the time is over. */
export function StopRecovery({ startedAt, readyAt, onStop }: StopRecoveryProps) {
  return (
    <section class="refused" role="alert">
      <h2>{words.pendingTitle}</h2>
      <p>{words.pendingText(localTime(startedAt), localTime(readyAt))}</p>
      <p>{words.pendingStop}</p>
      <button
        type="button"
        class="big danger-button"
        disabled={onStop === null}
        onClick={() => onStop?.()}
      >
        {words.stop}
      </button>
    </section>
  );
}
