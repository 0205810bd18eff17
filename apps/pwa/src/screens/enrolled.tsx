import type { SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { Mark } from "../ui/icons.js";
import { Screen } from "../ui/screen.js";

export function EnrolledScreen({ own }: { own: SignedIn }) {
  return (
    <Screen title={strings.welcome.doneTitle(own.name)} class="centered">
      <Mark />
      <p class="lead">
        {strings.welcome.doneLead} <code>{strings.pairCommand}</code>
      </p>
      <a class="big primary" href="/pair">
        {strings.welcome.donePair}
      </a>
      <a class="big quiet-button" href="/">
        {strings.welcome.doneInbox}
      </a>
    </Screen>
  );
}
