import { signal } from "@preact/signals";
import { isAndroid, isInstalled, isIos } from "../platform.js";

/** Chromium's own offer to install, kept for the moment when somebody asks for it. */
interface InstallPrompt extends Event {
  prompt: () => Promise<unknown>;
}

/** Opens the browser's own install dialogue; null where the browser has none. */
export const promptInstall = signal<(() => void) | null>(null);

export function watchInstall(): void {
  window.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    promptInstall.value = () => void (event as InstallPrompt).prompt();
  });
  window.addEventListener("appinstalled", () => {
    promptInstall.value = null;
  });
}

/** How this device puts an app on its home screen; null where it is done, or not worth a step. */
export function installWay(): "ios" | "android" | null {
  if (isInstalled()) return null;
  if (isIos) return "ios";
  return isAndroid ? "android" : null;
}
