import decodeQr from "qr/decode.js";

/** Large enough for a terminal's code held in one hand, small enough for ten looks a second. */
const maxSide = 800;

/**
 * Reads a QR code off a picture of the camera. In a chunk of its own: only who scans loads it.
 * @returns null where there is none, or none that can be read
 */
export function readCode(
  source: CanvasImageSource,
  size: { width: number; height: number },
  canvas: OffscreenCanvas | HTMLCanvasElement,
): string | null {
  const factor = Math.min(1, maxSide / Math.max(size.width, size.height));
  canvas.width = Math.round(size.width * factor);
  canvas.height = Math.round(size.height * factor);
  const context = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return readPixels(context.getImageData(0, 0, canvas.width, canvas.height));
}

export function readPixels(image: {
  width: number;
  height: number;
  data: Uint8ClampedArray;
}): string | null {
  try {
    return decodeQr(image) as string;
  } catch {
    // The library throws for every picture without a code, which is most of them.
    return null;
  }
}
