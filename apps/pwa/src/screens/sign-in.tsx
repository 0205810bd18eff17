import type { Site } from "@countersign/shared";
import { useState } from "preact/hooks";
import { useNonce } from "../api/nonce.js";
import { sentenceFor } from "../failure.js";
import { signInWith } from "../keys/sign-in.js";
import { refreshSession } from "../session.js";
import { strings } from "../strings.js";
import { Mark } from "../ui/icons.js";
import { Problem, Screen } from "../ui/screen.js";

type SignInView = { kind: "ready"; problem?: string } | { kind: "busy" };

export default function SignInScreen({ site }: { site: Site }) {
  const { nonce, renew } = useNonce("login");
  const [view, setView] = useState<SignInView>({ kind: "ready" });

  const tap = async (brokerNonce: string) => {
    setView({ kind: "busy" });
    try {
      await signInWith(site, brokerNonce);
      await refreshSession();
    } catch (error) {
      renew();
      setView({ kind: "ready", problem: sentenceFor(error) });
    }
  };

  return (
    <Screen title={strings.signIn.title} class="centered">
      <Mark />
      <p class="lead">{strings.signIn.lead}</p>
      <Problem sentence={view.kind === "ready" ? view.problem : undefined} />
      <button
        type="button"
        class="big primary"
        disabled={view.kind === "busy" || nonce.value === null}
        onClick={() => nonce.value && void tap(nonce.value)}
      >
        {strings.signIn.button}
      </button>
      <p class="quiet">
        {strings.signIn.newHere}{" "}
        <a class="inline-link" href="/enrol">
          {strings.signIn.invitation}
        </a>
      </p>
      <p class="quiet">
        {strings.signIn.newPhone}{" "}
        <a class="inline-link" href="/link">
          {strings.signIn.addThis}
        </a>
      </p>
      <p class="quiet">
        {strings.signIn.lostAll}{" "}
        <a class="inline-link" href="/recover">
          {strings.signIn.recover}
        </a>
      </p>
      <p class="quiet">
        {strings.signIn.server}: <code>{location.host}</code>
      </p>
    </Screen>
  );
}
