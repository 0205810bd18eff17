import { useEffect, useRef, useState } from "preact/hooks";
import { strings } from "../strings.js";
import { type CameraProblem, hasCamera, scan } from "./camera.js";

interface ScannerProps {
  /** Says whether a code that was read is the one looked for; then the camera goes off. */
  onCode: (text: string) => boolean;
}

/** The app's own camera: a code that the system's camera reads would open a browser, not the installed app. */
export function Scanner({ onCode }: ScannerProps) {
  const { camera } = strings;
  const [on, setOn] = useState(false);
  const [problem, setProblem] = useState<CameraProblem | null>(hasCamera() ? null : "missing");
  const [foreign, setForeign] = useState(false);
  const video = useRef<HTMLVideoElement>(null);
  const take = useRef(onCode);
  take.current = onCode;

  useEffect(() => {
    if (!on || !video.current) return;
    const leaving = new AbortController();
    const leave = () => document.visibilityState === "hidden" && setOn(false);
    document.addEventListener("visibilitychange", leave);
    const taken = (text: string) => {
      const right = take.current(text);
      setForeign(!right);
      return right;
    };
    void scan(video.current, taken, leaving.signal).then((failed) => {
      if (leaving.signal.aborted) return;
      setProblem(failed);
      setOn(false);
    });
    return () => {
      document.removeEventListener("visibilitychange", leave);
      leaving.abort();
    };
  }, [on]);

  if (!on) {
    return (
      <div class="scanner-off">
        {problem ? (
          <p class="quiet" role="status">
            {camera.problems[problem]}
          </p>
        ) : (
          <button type="button" class="big primary" onClick={() => setOn(true)}>
            {camera.open}
          </button>
        )}
      </div>
    );
  }
  return (
    <div class="scanner">
      <div class="viewfinder">
        <video ref={video} playsInline muted aria-label={camera.label} />
        <span class="viewfinder-frame" aria-hidden="true" />
      </div>
      <p class="quiet" role="status">
        {foreign ? camera.foreign : camera.aim}
      </p>
      <button type="button" class="big quiet-button" onClick={() => setOn(false)}>
        {camera.close}
      </button>
    </div>
  );
}
