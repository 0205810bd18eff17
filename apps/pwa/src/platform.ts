/** What this device is, as far as a browser tells: only for words and for the way to install. */
const agent = navigator.userAgent;

export const isIos =
  /iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && navigator.maxTouchPoints > 1);
export const isAndroid = /Android/.test(agent);

/** Opened from the Home Screen, as an app of its own. */
export const isInstalled = (): boolean =>
  window.matchMedia("(display-mode: standalone)").matches ||
  ("standalone" in navigator && navigator.standalone === true);

/** iPhones with a long screen have Face ID and no Touch ID; of any other device it is not known. */
const tall = Math.max(screen.width, screen.height) > 2 * Math.min(screen.width, screen.height);
export const passkeyGesture: "faceId" | "passkey" =
  /iPhone/.test(agent) && tall ? "faceId" : "passkey";
