import {
  deviceLink,
  deviceLinkId,
  ProtocolError,
  randomBytes,
  randomId,
  type Site,
  siteChallenge,
  verifyVouching,
} from "@countersign/shared";
import { useEffect, useRef, useState } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import { CallError } from "../api/call.js";
import { awaitLink, offerLink } from "../api/key-endpoints.js";
import { useNonce } from "../api/nonce.js";
import { sentenceFor } from "../failure.js";
import { rememberChain } from "../keys/chain.js";
import { createPasskey } from "../keys/create-passkey.js";
import { adoptDevice, createDevice, unlinked } from "../keys/device.js";
import { signInWith } from "../keys/sign-in.js";
import { refreshSession, type SignedIn } from "../session.js";
import { devicesStrings } from "../strings/devices.js";
import { strings } from "../strings.js";
import { CopyButton } from "../ui/copy-button.js";
import { Busy, Problem, Screen } from "../ui/screen.js";
import { wait } from "../wait.js";
import { QrCode } from "./qr-code.js";

type LinkView =
  | { kind: "ask"; problem?: string }
  | { kind: "making" }
  | { kind: "offered"; link: string }
  | { kind: "added"; problem?: string };

const retryMs = 2_000;

/** On a new phone: shows its keys to the old one, which signs them into the approver's chain. */
export default function LinkScreen({ site, own }: { site: Site; own: SignedIn | null }) {
  const { link: words } = devicesStrings;
  const { route } = useLocation();
  const [view, setView] = useState<LinkView>({ kind: "ask" });
  const register = useNonce("register");
  const login = useNonce("login");
  const leaving = useRef(new AbortController());
  useEffect(() => () => leaving.current.abort(), []);

  const show = async (registerNonce: string | null) => {
    setView({ kind: "making" });
    try {
      // Straight in the tap's handler: the passkey's dialogue comes first.
      const passkey = registerNonce === null ? {} : await ownPasskey(site, registerNonce);
      const { secret, link } = await offerKeys(site, passkey);
      setView({ kind: "offered", link });
      const added = await waitToBeAdded(deviceLinkId(secret), leaving.current.signal);
      if (!added) return;
      const anchor = verifyVouching(secret, added);
      if (own && own.approver !== added.approver) throw new ProtocolError("link_invalid");
      await rememberChain(added.approver, anchor);
      await adoptDevice(added.approver);
      if (own) await refreshSession();
      setView({ kind: "added" });
    } catch (error) {
      register.renew();
      setView({ kind: "ask", problem: sentenceFor(error) });
    }
  };

  const enter = async (nonce: string) => {
    try {
      await signInWith(site, nonce);
      // A synced passkey leads back here, to add this phone; with a phone that is added there is nothing to do here.
      if (view.kind === "added") route("/");
      await refreshSession();
    } catch (error) {
      login.renew();
      setView((shown) => ({ ...shown, problem: sentenceFor(error) }) as LinkView);
    }
  };
  const signInButton = (label: string, big: string) => (
    <button
      type="button"
      class={big}
      disabled={login.nonce.value === null}
      onClick={() => login.nonce.value && void enter(login.nonce.value)}
    >
      {label}
    </button>
  );

  return (
    <Screen
      title={words.title}
      {...(own ? { back: { href: "/", label: strings.inbox.title } } : {})}
    >
      {view.kind === "ask" && (
        <>
          <p class="lead">{words.lead}</p>
          <Problem sentence={view.problem} />
          {own ? (
            <button type="button" class="big primary" onClick={() => void show(null)}>
              {words.makeKeys}
            </button>
          ) : (
            <>
              <p>{words.synced}</p>
              {signInButton(words.signIn, "big primary")}
              <p>{words.ownPasskey}</p>
              <button
                type="button"
                class="big"
                disabled={register.nonce.value === null}
                onClick={() => register.nonce.value && void show(register.nonce.value)}
              >
                {words.makePasskey}
              </button>
            </>
          )}
        </>
      )}
      {view.kind === "making" && <Busy label={words.making} />}
      {view.kind === "offered" && <Offered link={view.link} />}
      {view.kind === "added" && (
        <>
          <p class="lead" role="status">
            {words.done}
          </p>
          <Problem sentence={view.problem} />
          {own ? (
            <a class="big primary" href="/">
              {words.inbox}
            </a>
          ) : (
            signInButton(words.enter, "big primary")
          )}
        </>
      )}
    </Screen>
  );
}

function Offered({ link }: { link: string }) {
  const { link: words } = devicesStrings;
  return (
    <>
      <p>{words.scan}</p>
      <QrCode text={link} label={words.qr} />
      <CopyButton text={link} label={words.copy} />
      <Busy label={words.waiting} />
    </>
  );
}

/** Its user handle is no approver's id: this phone does not know yet whose it will be. */
async function ownPasskey(site: Site, registerNonce: string) {
  const handle = randomId();
  const challenge = siteChallenge("register", site, registerNonce);
  const holder = { id: handle, name: devicesStrings.link.passkeyName };
  const { credential } = await createPasskey(challenge, site, holder);
  return { credential, handle };
}

async function offerKeys(site: Site, passkey: Partial<Awaited<ReturnType<typeof ownPasskey>>>) {
  const { credential, handle } = passkey;
  const device = await createDevice(unlinked);
  const keys = { device: device.publicKeys, ...(credential ? { credential } : {}) };
  const secret = randomBytes(32);
  await offerLink({
    link_id: deviceLinkId(secret),
    keys,
    ...(handle === undefined ? {} : { user_handle: handle }),
  });
  return { secret, link: deviceLink(site.origin, secret, keys) };
}

/** @returns null when the screen was left */
async function waitToBeAdded(linkId: string, signal: AbortSignal) {
  while (!signal.aborted) {
    try {
      const { vouching } = await awaitLink(linkId, signal);
      if (vouching) return vouching;
    } catch (error) {
      const passing =
        error instanceof CallError &&
        ["unreachable", "unavailable", "slow_down"].includes(error.code);
      if (!passing && !signal.aborted) throw error;
      await wait(retryMs, signal);
    }
  }
  return null;
}
