import { useEffect } from "preact/hooks";
import { refreshSession } from "../session.js";
import { strings } from "../strings.js";
import { OfflineIcon } from "../ui/icons.js";
import { Screen } from "../ui/screen.js";

const retryMs = 5_000;

/** Opened without a network: says what is not known instead of showing something old. */
export function UnreachableScreen() {
  useEffect(() => {
    const timer = setInterval(() => void refreshSession(), retryMs);
    return () => clearInterval(timer);
  }, []);
  const { unreachable } = strings;
  return (
    <Screen title={unreachable.title} class="onboarding">
      <span class="sign">
        <OfflineIcon />
      </span>
      <p class="lead">{unreachable.text(location.host)}</p>
      <h2>{unreachable.unknownTitle}</h2>
      <ul class="bullets">
        {unreachable.unknown.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <h2>{unreachable.sureTitle}</h2>
      <ul class="bullets">
        <li>{unreachable.sure}</li>
      </ul>
      <button type="button" class="big" onClick={() => location.reload()}>
        {strings.retry}
      </button>
      <p class="quiet" role="status">
        {unreachable.retrying}
      </p>
    </Screen>
  );
}

export function WrongAddressScreen({ origin }: { origin: string }) {
  return (
    <Screen title={strings.wrongAddress.title} class="onboarding">
      <p class="lead">{strings.wrongAddress.text(origin)}</p>
    </Screen>
  );
}
