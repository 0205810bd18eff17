import { useEffect } from "preact/hooks";
import { refreshSession } from "../session.js";
import { strings } from "../strings.js";
import { Screen } from "../ui/screen.js";

const retryMs = 5_000;

/** Opened without a network: says what is not known instead of showing something old. */
export function UnreachableScreen() {
  useEffect(() => {
    const timer = setInterval(() => void refreshSession(), retryMs);
    return () => clearInterval(timer);
  }, []);
  return (
    <Screen title={strings.unreachable.title} class="centered">
      <p>{strings.unreachable.text}</p>
      <button type="button" class="big" onClick={() => location.reload()}>
        {strings.retry}
      </button>
    </Screen>
  );
}

export function WrongAddressScreen({ origin }: { origin: string }) {
  return (
    <Screen title={strings.wrongAddress.title} class="centered">
      <p>{strings.wrongAddress.text(origin)}</p>
    </Screen>
  );
}
