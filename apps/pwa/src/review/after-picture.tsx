import {
  type AfterPicture,
  type Outcome,
  openAfterPicture,
  ProtocolError,
} from "@countersign/shared";
import { useEffect, useState } from "preact/hooks";
import { CallError } from "../api/call.js";
import { getPiece } from "../api/endpoints.js";
import type { Device } from "../keys/device.js";
import { afterPictureStrings as words } from "../strings/after-picture.js";
import { strings } from "../strings.js";
import { Busy } from "../ui/screen.js";
import { Sheet } from "../ui/sheet.js";
import { PictureFrame, type PictureState } from "./picture-frame.js";

interface AfterPicturesProps {
  rid: string;
  host: string;
  /** Those that name a picture, as this phone verified them. */
  outcomes: readonly Outcome[];
  device: Device;
  onClose: () => void;
}

/** What the agent's screen showed after the action, one picture for each outcome that has one. */
export function AfterPictures({ rid, host, outcomes, device, onClose }: AfterPicturesProps) {
  return (
    <Sheet title={words.title} onClose={onClose}>
      {outcomes.map(({ n, sealed_sha256 = "" }) => (
        <After key={n} named={{ rid, sealedSha256: sealed_sha256 }} host={host} device={device} />
      ))}
      <button type="button" class="big" onClick={onClose}>
        {words.close}
      </button>
    </Sheet>
  );
}

type AfterView =
  | { kind: "loading" }
  | { kind: "opened"; picture: AfterPicture }
  | { kind: "none"; why: string };

interface AfterProps {
  named: { rid: string; sealedSha256: string };
  host: string;
  device: Device;
}

function After({ named, host, device }: AfterProps) {
  const [view, setView] = useState<AfterView>({ kind: "loading" });
  const [state, setState] = useState<PictureState>("loading");
  const { rid, sealedSha256 } = named;
  useEffect(() => {
    void open({ rid, sealedSha256 }, device).then(setView);
  }, [rid, sealedSha256, device]);
  return (
    <div data-testid="after-picture">
      {view.kind === "loading" && <Busy label={strings.loading} />}
      {view.kind === "none" && <p class="no-picture">{view.why}</p>}
      {view.kind === "opened" && (
        <PictureFrame
          picture={{ ...view.picture.screenshot, bytes: view.picture.bytes }}
          host={host}
          capturedAt={view.picture.capturedAt}
          alt={words.alt}
          target={undefined}
          state={state}
          onState={setState}
        />
      )}
    </div>
  );
}

/** Fetched, held to the signed outcome, opened: or a sentence why there is nothing to see. */
async function open(named: AfterProps["named"], device: Device): Promise<AfterView> {
  try {
    const octets = await getPiece(named.rid, named.sealedSha256);
    return { kind: "opened", picture: await openAfterPicture(octets, device, named) };
  } catch (error) {
    if (error instanceof CallError) {
      return { kind: "none", why: error.code === "not_found" ? words.gone : words.unreachable };
    }
    if (!(error instanceof ProtocolError)) throw error;
    return { kind: "none", why: error.code === "not_found" ? words.notSealed : words.altered };
  }
}
