import { useEffect } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import { onChange } from "../api/events.js";
import type { SignedIn } from "../session.js";
import { clear, ignoreCallError, noteOpened, tidy } from "./notifications.js";
import { resync } from "./subscription.js";

/** Keeps notifications, badge and subscription in step with the open app. It shows nothing. */
export function AlertsInApp({ own }: { own: SignedIn }) {
  const { path, route } = useLocation();
  const deviceKid = own.device?.kid;

  useEffect(() => {
    const agree = () => {
      if (document.visibilityState === "visible") void resync(deviceKid).catch(ignoreCallError);
    };
    agree();
    document.addEventListener("visibilitychange", agree);
    return () => document.removeEventListener("visibilitychange", agree);
  }, [own.approver, deviceKid]);

  useEffect(() => {
    const look = () => void tidy().catch(ignoreCallError);
    look();
    const stop = onChange(look);
    return () => {
      stop();
      void clear();
    };
  }, [own.approver]);

  useEffect(() => {
    const [, rid] = /^\/requests\/([A-Za-z0-9_-]+)$/.exec(path) ?? [];
    if (rid !== undefined) void noteOpened(rid);
  }, [path]);

  useEffect(() => {
    if (!("serviceWorker" in navigator)) return;
    // A notification was tapped: the service worker waits for an answer, and loads the page anew without one.
    const go = ({ data, ports }: MessageEvent) => {
      if (data?.type !== "navigate") return;
      ports[0]?.postMessage(true);
      route(String(data.path));
    };
    navigator.serviceWorker.addEventListener("message", go);
    return () => navigator.serviceWorker.removeEventListener("message", go);
  }, [route]);

  return null;
}
