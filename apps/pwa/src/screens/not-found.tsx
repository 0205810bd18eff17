import { strings } from "../strings.js";
import { Screen } from "../ui/screen.js";

export function NotFoundScreen() {
  return (
    <Screen title={strings.notFound.title}>
      <p>{strings.notFound.text}</p>
      <a class="big primary" href="/">
        {strings.notFound.home}
      </a>
    </Screen>
  );
}
