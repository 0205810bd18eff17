import { type KeyChange, keyPurpose, type Me } from "@countersign/shared";
import { useEffect, useState } from "preact/hooks";
import { getMe } from "../api/endpoints.js";
import { appendKey } from "../api/key-endpoints.js";
import { useNonce } from "../api/nonce.js";
import { sentenceFor } from "../failure.js";
import { loadChain, rememberChain, signKeyChange } from "../keys/chain.js";
import type { SignedIn } from "../session.js";
import { devicesStrings } from "../strings/devices.js";
import { strings } from "../strings.js";
import { localTime } from "../times.js";
import { ConfirmSheet } from "../ui/confirm-sheet.js";
import { Busy, Failed, Problem, Screen } from "../ui/screen.js";
import { AddPhone } from "./add-phone.js";

type Revocation = Extract<KeyChange, { op: "revoke" }>;

type DevicesView =
  | { kind: "loading" }
  | { kind: "failed"; problem: string }
  | { kind: "shown"; me: Me; problem?: string };

/** The keys that count for this account, and how to add or remove one. */
export default function DevicesScreen({ own }: { own: SignedIn }) {
  const { devices: words } = devicesStrings;
  const [view, setView] = useState<DevicesView>({ kind: "loading" });
  const [removing, setRemoving] = useState<Revocation | null>(null);
  const forDevice = useNonce("device");
  const forPasskey = useNonce("credential");
  const { device } = own;

  const load = () =>
    getMe().then(
      (me) => setView({ kind: "shown", me }),
      (error) => setView({ kind: "failed", problem: sentenceFor(error) }),
    );
  useEffect(() => void load(), []);
  const retry = () => {
    setView({ kind: "loading" });
    void load();
  };

  const nonceFor = (change: Revocation) =>
    (keyPurpose(change) === "device" ? forDevice : forPasskey).nonce.value;

  const remove = async (change: Revocation, nonce: string) => {
    if (!device) return;
    setRemoving(null);
    try {
      const signed = await signKeyChange({ ...own, device }, await loadChain(own), change, nonce);
      await appendKey({ link: signed.link });
      await rememberChain(own.approver, signed.at);
      await load();
    } catch (error) {
      const problem = sentenceFor(error);
      setView((shown) => (shown.kind === "shown" ? { ...shown, problem } : shown));
    }
    forDevice.renew();
    forPasskey.renew();
  };

  return (
    <Screen title={words.title} back={{ href: "/you", label: strings.you.title }}>
      {view.kind === "loading" && <Busy label={strings.loading} />}
      {view.kind === "failed" && <Failed sentence={view.problem} onRetry={retry} />}
      {view.kind === "shown" && (
        <>
          <Problem sentence={view.problem} />
          <KeyList me={view.me} ownKid={device?.kid} onRemove={device ? setRemoving : null} />
          {isEnrolled(view.me, device?.kid) && device ? (
            <section>
              <h2>{words.add}</h2>
              <AddPhone own={{ ...own, device }} onAdded={() => void load()} />
            </section>
          ) : (
            <section>
              <p>{words.notEnrolled}</p>
              <a class="big primary" href="/link">
                {words.addThis}
              </a>
            </section>
          )}
        </>
      )}
      {removing && (
        <ConfirmSheet
          title={words.removeTitle[kindOf(removing)]}
          text={words.removeText[kindOf(removing)]}
          confirm={words.removeConfirm}
          danger
          ready={nonceFor(removing) !== null}
          onClose={() => setRemoving(null)}
          onConfirm={() => {
            const nonce = nonceFor(removing);
            if (nonce !== null) void remove(removing, nonce);
          }}
        />
      )}
    </Screen>
  );
}

const kindOf = (removing: Revocation) => (keyPurpose(removing) === "device" ? "device" : "passkey");

const isEnrolled = ({ devices }: Me, ownKid: string | undefined): boolean =>
  devices.some(({ device_kid, revoked_at }) => device_kid === ownKid && revoked_at === undefined);

interface KeyListProps {
  me: Me;
  ownKid: string | undefined;
  onRemove: ((change: Revocation) => void) | null;
}

function KeyList({ me, ownKid, onRemove }: KeyListProps) {
  const { devices: words } = devicesStrings;
  const alive = me.credentials.filter(({ revoked_at }) => revoked_at === undefined);
  return (
    <>
      <section>
        <h2>{words.devices}</h2>
        <ul class="card">
          {me.devices.map(({ device_kid, created_at, revoked_at }) => (
            <KeyItem
              key={device_kid}
              name={device_kid === ownKid ? words.thisDevice : words.otherDevice}
              createdAt={created_at}
              revokedAt={revoked_at}
              onRemove={
                onRemove && device_kid !== ownKid
                  ? () => onRemove({ op: "revoke", subject: { device_kid } })
                  : null
              }
            />
          ))}
        </ul>
      </section>
      <section>
        <h2>{words.passkeys}</h2>
        <ul class="card">
          {me.credentials.map(({ id, be, created_at, revoked_at }) => (
            <KeyItem
              key={id}
              name={be ? words.synced : words.bound}
              createdAt={created_at}
              revokedAt={revoked_at}
              onRemove={
                onRemove && alive.length > 1
                  ? () => onRemove({ op: "revoke", subject: { credential_id: id } })
                  : null
              }
            />
          ))}
        </ul>
      </section>
    </>
  );
}

interface KeyItemProps {
  name: string;
  createdAt: number;
  revokedAt: number | undefined;
  onRemove: (() => void) | null;
}

function KeyItem({ name, createdAt, revokedAt, onRemove }: KeyItemProps) {
  const { devices: words } = devicesStrings;
  return (
    <li>
      <span>
        <strong>{name}</strong>
        <span class="quiet">
          {revokedAt === undefined
            ? words.since(localTime(createdAt))
            : words.removed(localTime(revokedAt))}
        </span>
      </span>
      {onRemove && revokedAt === undefined && (
        <button type="button" class="small" onClick={onRemove}>
          {words.remove}
        </button>
      )}
    </li>
  );
}
