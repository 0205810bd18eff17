import { signal } from "@preact/signals";

const scriptUrl = "/sw.js";

/** Set when a newer version waits; calling it switches over and reloads. */
export const switchToUpdate = signal<(() => void) | null>(null);

/** The one Trusted Types policy of the app: it lets the service worker's own address through and nothing else. */
const policy = window.trustedTypes?.createPolicy("countersign", {
  createScriptURL: (url) => {
    if (url !== scriptUrl) throw new TypeError("Only the service worker may be loaded this way.");
    return url;
  },
});

/** Registers the service worker, by which the app's shell opens without a network. */
export async function registerServiceWorker(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  // Not before the first sight: nothing of it is needed for that.
  const { Workbox } = await import("workbox-window");
  const workbox = new Workbox(policy?.createScriptURL(scriptUrl) ?? scriptUrl);
  workbox.addEventListener("waiting", () => {
    switchToUpdate.value = () => {
      workbox.addEventListener("controlling", () => location.reload());
      workbox.messageSkipWaiting();
    };
  });
  await workbox.register();
}
