import { wait } from "../wait.js";

const pauseMs = 90;

/** Why there is no picture. Each one is a sentence in strings.ts. */
export type CameraProblem = "refused" | "missing";

export const hasCamera = (): boolean => navigator.mediaDevices?.getUserMedia !== undefined;

/**
 * Shows the back camera in a video element and reads QR codes until one is taken or `signal` aborts; then the
 * camera is off. Call it from a tap: browsers ask for permission.
 * @param take says whether this code is the one that was looked for
 * @returns why it did not even start
 */
export async function scan(
  video: HTMLVideoElement,
  take: (text: string) => boolean,
  signal: AbortSignal,
): Promise<CameraProblem | null> {
  const decoder = import("./decode.js");
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } },
    });
  } catch (error) {
    const refused = error instanceof DOMException && error.name === "NotAllowedError";
    return refused ? "refused" : "missing";
  }
  const stop = () => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  // Left while the browser was still asking: the light must not stay on.
  if (signal.aborted) {
    stop();
    return null;
  }
  signal.addEventListener("abort", stop, { once: true });
  try {
    video.srcObject = stream;
    await video.play();
    const { readCode } = await decoder;
    const canvas = document.createElement("canvas");
    while (!signal.aborted) {
      const size = { width: video.videoWidth, height: video.videoHeight };
      const text = size.width > 0 ? readCode(video, size, canvas) : null;
      if (text !== null && take(text)) return null;
      await wait(pauseMs, signal);
    }
    return null;
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}
