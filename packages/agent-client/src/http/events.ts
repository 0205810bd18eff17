import { createParser } from "eventsource-parser";

/** The broker beats every 15 seconds: a stream that is silent for longer is dead, whatever the socket says. */
const silentMs = 40_000;
/** No event of the broker is nearly this long. */
const maxBuffered = 64 * 1024;

/**
 * Reads server-sent events until the stream ends, falls silent, breaks, or `signal` is aborted.
 * @param onEvent gets each event's name; what it says is a hint, so nothing else of it is read
 */
export async function readEvents(
  response: Response,
  onEvent: (name: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const reader = response.body?.getReader();
  if (!reader) return;
  const decoder = new TextDecoder();
  const parser = createParser({ onEvent: ({ event }) => onEvent(event ?? "message") });
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (let sinceEvent = 0; ; ) {
      const silence = setTimeout(stop, silentMs);
      const { done, value } = await reader.read().finally(() => clearTimeout(silence));
      if (done || signal.aborted) return;
      const text = decoder.decode(value, { stream: true });
      sinceEvent = text.includes("\n\n") ? 0 : sinceEvent + text.length;
      if (sinceEvent > maxBuffered) return;
      parser.feed(text);
    }
  } catch {
    // A stream that broke is one that ended: the caller comes back.
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}
