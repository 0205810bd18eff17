import {
  type DeviceLink,
  type LinkStatus,
  ProtocolError,
  parseDeviceLink,
  requireLinkedKeys,
  type VerifiedChain,
  vouch,
} from "@countersign/shared";
import { useEffect, useState } from "preact/hooks";
import { appendKey, getLink } from "../api/key-endpoints.js";
import { useNonce } from "../api/nonce.js";
import { arrivedDeviceLink } from "../arrival.js";
import { LinkField } from "../camera/link-field.js";
import { Scanner } from "../camera/scanner.js";
import { sentenceFor } from "../failure.js";
import { loadChain, rememberChain, signKeyChange } from "../keys/chain.js";
import type { Device } from "../keys/device.js";
import type { SignedIn } from "../session.js";
import { devicesStrings } from "../strings/devices.js";
import { Busy, Problem } from "../ui/screen.js";

/** A link that was read, and the keys behind it, which are those that the link names. */
interface FoundPhone {
  link: DeviceLink;
  offered: LinkStatus;
  chain: VerifiedChain;
  passkeyAdded: boolean;
}

type AddView =
  | { kind: "ask"; problem?: string }
  | { kind: "looking" }
  | { kind: "found"; found: FoundPhone; problem?: string }
  | { kind: "signing"; found: FoundPhone }
  | { kind: "added" };

interface AddPhoneProps {
  own: SignedIn & { device: Device };
  onAdded: () => void;
}

/** Adds the phone whose code this one scans: its keys come by the code, never by the server alone. */
export function AddPhone({ own, onAdded }: AddPhoneProps) {
  const { devices: words } = devicesStrings;
  const [view, setView] = useState<AddView>({ kind: "ask" });
  const forDevice = useNonce("device");
  const forPasskey = useNonce("credential");
  const arrived = arrivedDeviceLink.value;

  const look = async (link: DeviceLink) => {
    setView({ kind: "looking" });
    try {
      const [offered, chain] = await Promise.all([getLink(link.linkId), loadChain(own)]);
      requireLinkedKeys(link, offered.keys);
      if (offered.state !== "offered") throw new ProtocolError("link_stale");
      const passkeyAdded = offered.keys.credential === undefined;
      setView({ kind: "found", found: { link, offered, chain, passkeyAdded } });
    } catch (error) {
      setView({ kind: "ask", problem: sentenceFor(error) });
    }
  };

  const read = (text: string): boolean => {
    const link = linkOf(text, own.site.origin);
    if (link) void look(link);
    return link !== null;
  };
  useEffect(() => {
    if (arrived === null) return;
    arrivedDeviceLink.value = null;
    read(arrived);
  }, [arrived]);

  const tap = async (found: FoundPhone, nonce: string) => {
    setView({ kind: "signing", found });
    try {
      const after = found.passkeyAdded
        ? await addDevice(found, own, nonce)
        : await addPasskey(found, own, nonce);
      if (after) setView({ kind: "found", found: after });
      else {
        setView({ kind: "added" });
        onAdded();
      }
    } catch (error) {
      setView({ kind: "found", found, problem: sentenceFor(error) });
    }
    forDevice.renew();
    forPasskey.renew();
  };

  switch (view.kind) {
    case "ask":
      return (
        <>
          <p>{words.addText}</p>
          <Scanner onCode={read} />
          <p class="or">{words.or}</p>
          <LinkField
            label={words.link}
            hint={words.linkHint}
            onInput={(text) => {
              if (!read(text) && text.trim() !== "") {
                setView({ kind: "ask", problem: words.wrongLink });
              }
            }}
          />
          <Problem sentence={view.problem} />
        </>
      );
    case "looking":
      return <Busy label={words.looking} />;
    case "signing":
      return <Busy label={words.signing} />;
    case "added":
      return (
        <p class="lead" role="status">
          {words.added}
        </p>
      );
    case "found": {
      const { found } = view;
      const { value: nonce } = (found.passkeyAdded ? forDevice : forPasskey).nonce;
      return (
        <>
          <p>{words.found}</p>
          {found.offered.keys.credential && <p class="quiet">{words.foundPasskey}</p>}
          <Problem sentence={view.problem} />
          <button
            type="button"
            class="big primary"
            disabled={nonce === null}
            onClick={() => nonce !== null && void tap(found, nonce)}
          >
            {found.passkeyAdded ? words.confirmDevice : words.confirmPasskey}
          </button>
        </>
      );
    }
  }
}

function linkOf(text: string, origin: string): DeviceLink | null {
  try {
    return parseDeviceLink(text, origin);
  } catch {
    return null;
  }
}

/** First of two where the new phone made a passkey of its own. */
async function addPasskey(
  found: FoundPhone,
  own: AddPhoneProps["own"],
  nonce: string,
): Promise<FoundPhone> {
  const { credential } = found.offered.keys;
  if (!credential) throw new ProtocolError("link_invalid");
  const change = { op: "add", subject: { credential } } as const;
  const { link, at } = await signKeyChange(own, found.chain, change, nonce);
  const { user_handle } = found.offered;
  await appendKey({ link, ...(user_handle === undefined ? {} : { user_handle }) });
  await rememberChain(own.approver, at);
  return { ...found, chain: await loadChain(own), passkeyAdded: true };
}

async function addDevice(found: FoundPhone, own: AddPhoneProps["own"], nonce: string) {
  const { device } = found.offered.keys;
  const change = { op: "add", subject: { device } } as const;
  const { link, at } = await signKeyChange(own, found.chain, change, nonce);
  const vouching = vouch(found.link.secret, own.approver, at);
  await appendKey({ link, device_link: { link_id: found.link.linkId, vouching } });
  await rememberChain(own.approver, at);
  return null;
}
