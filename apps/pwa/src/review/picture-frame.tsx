import { type Rectangle, visible } from "@countersign/shared";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { now } from "../clock.js";
import { strings } from "../strings.js";
import { age } from "../times.js";
import { MinusIcon, PlusIcon, TargetIcon } from "../ui/icons.js";
import { Rendered } from "../ui/text.js";
import type { Picture } from "./verify.js";
import { maxScale, panBy, unzoomed, useZoom, type Zoom, zoomAt, zoomTo } from "./zoom.js";

export type PictureState = "loading" | "shown" | "broken";

interface PictureFrameProps {
  /** Its place, while its octets are still to come. */
  picture: Omit<Picture, "bytes"> & { bytes: Picture["bytes"] | null };
  host: string;
  /** NumericDate */
  capturedAt: number;
  target: Rectangle | undefined;
  /** What the picture is of, for whoever does not see it. */
  alt: string;
  state: PictureState;
  onState: (state: PictureState) => void;
}

/** The screen as the agent saw it, said to be that: a frame, its origin, its age, and the place of the action. */
export function PictureFrame(props: PictureFrameProps) {
  const { picture, host, capturedAt, target, alt, state, onState } = props;
  const frame = useRef<HTMLDivElement>(null);
  const [zoom, setZoom] = useZoom(frame);
  const blob = useMemo(
    () => picture.bytes && new Blob([picture.bytes], { type: picture.mime }),
    [picture],
  );
  const url = useMemo(() => blob && URL.createObjectURL(blob), [blob]);
  useEffect(() => () => (url ? URL.revokeObjectURL(url) : undefined), [url]);
  const box = target && boxWithin(target, picture);
  return (
    <figure class="picture" data-undrawn={state === "shown" ? undefined : ""}>
      <figcaption>
        {strings.review.pictureFrom} <Rendered>{visible(host)}</Rendered>
        <span class="quiet">{strings.review.pictureTaken(age(now.value - capturedAt))}</span>
      </figcaption>
      <div
        ref={frame}
        class={zoom.scale > 1 ? "picture-frame zoomed" : "picture-frame"}
        style={{ aspectRatio: `${picture.width} / ${picture.height}` }}
      >
        <div class="picture-layer" style={layerStyle(zoom)}>
          {blob && url && (
            <img
              src={url}
              width={picture.width}
              height={picture.height}
              draggable={false}
              alt={alt}
              onLoad={(event) => {
                drawn(event.currentTarget, blob).then(
                  () => onState("shown"),
                  () => onState("broken"),
                );
              }}
              onError={() => onState("broken")}
            />
          )}
          {box && state === "shown" && (
            <div class="target" style={boxStyle(box)} data-testid="target" />
          )}
        </div>
      </div>
      <div class="picture-foot">
        <p class="quiet">
          {state === "broken" && strings.review.pictureBroken}
          {state !== "broken" && box && strings.review.target}
          {target && !box && strings.review.targetOutside}
        </p>
        {state === "shown" && <ZoomButtons zoom={zoom} box={box ?? null} onZoom={setZoom} />}
      </div>
    </figure>
  );
}

/**
 * Loaded is not yet drawn: decode() tells when there is something to look at. A part of a picture is enough for it,
 * where the rest is missing or damaged; a bitmap is made of a whole one only.
 */
async function drawn(image: HTMLImageElement, blob: Blob): Promise<void> {
  const [bitmap] = await Promise.all([createImageBitmap(blob), image.decode()]);
  bitmap.close();
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const middle = { x: 0.5, y: 0.5 };
const step = 1.6;
const arrows: Record<string, [x: number, y: number]> = {
  ArrowLeft: [0.15, 0],
  ArrowRight: [-0.15, 0],
  ArrowUp: [0, 0.15],
  ArrowDown: [0, -0.15],
};

interface ZoomButtonsProps {
  zoom: Zoom;
  box: Box | null;
  onZoom: (zoom: Zoom) => void;
}

/** The same as two fingers do, for one thumb and for a keyboard: the arrows move what is magnified. */
function ZoomButtons({ zoom, box, onZoom }: ZoomButtonsProps) {
  const words = strings.review.zoom;
  const onKeyDown = (event: KeyboardEvent) => {
    const arrow = arrows[event.key];
    if (!arrow || zoom.scale === 1) return;
    event.preventDefault();
    onZoom(panBy(zoom, ...arrow));
  };
  return (
    <fieldset class="zoom" onKeyDown={onKeyDown}>
      <legend class="unseen">{words.label}</legend>
      {box && (
        <button
          type="button"
          aria-label={words.target}
          onClick={() => onZoom(zoom.scale === 1 ? zoomTo(box) : unzoomed)}
          aria-pressed={zoom.scale > 1}
        >
          <TargetIcon />
        </button>
      )}
      <button
        type="button"
        aria-label={words.out}
        aria-disabled={zoom.scale === 1}
        onClick={() => onZoom(zoomAt(zoom, 1 / step, middle))}
      >
        <MinusIcon />
      </button>
      <button
        type="button"
        aria-label={words.in}
        aria-disabled={zoom.scale === maxScale}
        onClick={() => onZoom(zoomAt(zoom, step, middle))}
      >
        <PlusIcon />
      </button>
    </fieldset>
  );
}

const percent = (share: number): string => `${100 * share}%`;

/** The outline lies in the same layer as the picture, and so goes with it. Its line keeps its width. */
const layerStyle = ({ scale, x, y }: Zoom) => ({
  transform: `translate(${percent(x)}, ${percent(y)}) scale(${scale})`,
  "--scale": String(scale),
});

const boxStyle = ({ x, y, width, height }: Box) => ({
  left: percent(x),
  top: percent(y),
  width: percent(width),
  height: percent(height),
});

/** The target in shares of the picture; null where it is not wholly inside. */
function boxWithin(
  { x, y, width, height }: Rectangle,
  picture: Pick<Picture, "width" | "height">,
): Box | null {
  if (width === 0 || height === 0) return null;
  if (x + width > picture.width || y + height > picture.height) return null;
  return {
    x: x / picture.width,
    y: y / picture.height,
    width: width / picture.width,
    height: height / picture.height,
  };
}
