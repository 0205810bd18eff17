import { type Rectangle, visible } from "@countersign/shared";
import { useEffect, useMemo } from "preact/hooks";
import { now } from "../clock.js";
import { strings } from "../strings.js";
import { age } from "../times.js";
import { Rendered } from "../ui/text.js";
import type { Picture } from "./verify.js";

export type PictureState = "loading" | "shown" | "broken";

interface PictureFrameProps {
  picture: Picture;
  host: string;
  /** NumericDate */
  capturedAt: number;
  target: Rectangle | undefined;
  state: PictureState;
  onState: (state: PictureState) => void;
}

/** The screen as the agent saw it, said to be that: a frame, its origin, its age, and the place of the action. */
export function PictureFrame(props: PictureFrameProps) {
  const { picture, host, capturedAt, target, state, onState } = props;
  const url = useMemo(
    () => URL.createObjectURL(new Blob([picture.bytes], { type: picture.mime })),
    [picture],
  );
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  const box = target && boxWithin(target, picture);
  return (
    <figure class="picture">
      <figcaption>
        {strings.review.pictureFrom} <Rendered>{visible(host)}</Rendered>
        {strings.review.pictureTaken(age(now.value - capturedAt))}
      </figcaption>
      <div class="picture-frame">
        <img
          src={url}
          width={picture.width}
          height={picture.height}
          alt={strings.review.pictureAlt}
          onLoad={(event) => {
            // Loaded is not yet drawn: decode() tells when there is something to look at.
            event.currentTarget.decode().then(
              () => onState("shown"),
              () => onState("broken"),
            );
          }}
          onError={() => onState("broken")}
        />
        {box && state === "shown" && <div class="target" style={box} data-testid="target" />}
      </div>
      <p class="quiet">
        {state === "broken" && strings.review.pictureBroken}
        {state !== "broken" && box && strings.review.target}
        {target && !box && strings.review.targetOutside}
      </p>
    </figure>
  );
}

/** The target in percent of the picture; null where it is not wholly inside. */
function boxWithin({ x, y, width, height }: Rectangle, picture: Picture) {
  if (width === 0 || height === 0) return null;
  if (x + width > picture.width || y + height > picture.height) return null;
  const percent = (part: number, whole: number) => `${(100 * part) / whole}%`;
  return {
    left: percent(x, picture.width),
    top: percent(y, picture.height),
    width: percent(width, picture.width),
    height: percent(height, picture.height),
  };
}
