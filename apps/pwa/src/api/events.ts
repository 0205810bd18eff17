/** How often to look when the stream is quiet or cannot be had, in ms. */
const pollMs = { streaming: 30_000, silent: 5_000 };
const reconnectMs = 3_000;

const listeners = new Set<() => void>();
let source: EventSource | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;

const accountListeners = new Set<() => void>();

/** Calls back when keys, freezes or a recovery may have changed: at a hint that says so, and at every return to the app. */
export function onAccountChange(listener: () => void): () => void {
  accountListeners.add(listener);
  const stop = onChange(() => undefined);
  return () => {
    accountListeners.delete(listener);
    stop();
  };
}

function notifyAccount(): void {
  for (const listener of accountListeners) listener();
}

/**
 * Calls back whenever something may have changed at the server: a hint, a new connection, the app coming
 * to the front, or time having passed. Hints only: the listener fetches the truth.
 * @returns how to stop listening
 */
export function onChange(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1) start();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) stop();
  };
}

function start(): void {
  document.addEventListener("visibilitychange", resync);
  window.addEventListener("online", resync);
  connect();
  schedulePoll();
}

function stop(): void {
  document.removeEventListener("visibilitychange", resync);
  window.removeEventListener("online", resync);
  clearTimeout(timer);
  source?.close();
  source = null;
}

function connect(): void {
  source?.close();
  const opened = new EventSource("/app/events");
  source = opened;
  opened.addEventListener("open", () => {
    notifyAccount();
    notify();
  });
  opened.addEventListener("hint", ({ data }) => {
    if (String(data).includes('"account"')) notifyAccount();
    notify();
  });
  opened.addEventListener("error", () => {
    // The browser reconnects after a broken connection, but never after a refusal.
    if (opened.readyState !== EventSource.CLOSED || source !== opened) return;
    setTimeout(() => {
      if (source === opened) connect();
    }, reconnectMs);
  });
}

/** A phone that slept may hold a stream that died without a word: look now, and connect anew if need be. */
function resync(): void {
  if (document.visibilityState !== "visible") return;
  if (source?.readyState !== EventSource.OPEN) connect();
  notifyAccount();
  notify();
}

function schedulePoll(): void {
  const streaming = source?.readyState === EventSource.OPEN;
  timer = setTimeout(
    () => {
      if (document.visibilityState === "visible") notify();
      schedulePoll();
    },
    streaming ? pollMs.streaming : pollMs.silent,
  );
}

/** At most one look a second, however many hints arrive: a flood of them must not use up what we may ask. */
const quietMs = 1_000;
let lastNotifiedAt = Number.NEGATIVE_INFINITY;
let pending: ReturnType<typeof setTimeout> | undefined;

function notify(): void {
  if (pending !== undefined) return;
  const waitMs = Math.max(0, lastNotifiedAt + quietMs - performance.now());
  pending = setTimeout(() => {
    pending = undefined;
    lastNotifiedAt = performance.now();
    for (const listener of listeners) listener();
  }, waitMs);
}
