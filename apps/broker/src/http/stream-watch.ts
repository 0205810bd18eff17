/** A stream that lives as long as whoever holds it may be here. */
interface Watched {
  /** Its holder was looked at for the first time: what was read before that may have changed unseen. */
  watched?(): void;
  /** Something about its holder is another than before. */
  changed(): void;
  end(): void;
}

export interface StreamWatch {
  /** @returns how to stop watching */
  add(key: string, stream: Watched): () => void;
  /** Looks now, since something was heard. */
  check(): void;
}

/** Each stream of one holder, with what was known of the holder when it was last looked at. */
type Holders = Map<Watched, string | undefined>;

/** Whatever ends an agent, a session, a device or a passkey, on whichever broker, ends its streams within two of these. */
const watchMilliseconds = 1000;

/**
 * Asks once a second, in one statement for all open streams, whether those who hold them still may.
 * @param read resolves with what is known of each key, and with nothing for a key that is no more; when it fails,
 *   nobody is taken for gone
 */
export function watchStreams(read: (keys: string[]) => Promise<Map<string, string>>): StreamWatch {
  const open = new Map<string, Holders>();
  let timer: NodeJS.Timeout | undefined;
  let checking = false;

  const check = async (): Promise<void> => {
    if (checking || open.size === 0) return;
    checking = true;
    try {
      // Only those that were asked about: one that came meanwhile is not known yet.
      const asked = [...open].map(([key, streams]) => [key, streams, [...streams.keys()]] as const);
      const known = await read(asked.map(([key]) => key));
      for (const [key, streams, watched] of asked) {
        for (const stream of watched) tell(streams, stream, known.get(key));
      }
    } catch {
      // A database that is away says nothing about anybody.
    } finally {
      checking = false;
    }
  };

  const tell = (streams: Holders, stream: Watched, now: string | undefined): void => {
    const before = streams.get(stream);
    if (now === undefined) stream.end();
    else if (before !== now && streams.has(stream)) {
      streams.set(stream, now);
      if (before === undefined) stream.watched?.();
      else stream.changed();
    }
  };

  return {
    add(key, stream) {
      const streams = open.get(key) ?? (new Map() as Holders);
      open.set(key, streams.set(stream, undefined));
      timer ??= setInterval(() => void check(), watchMilliseconds);
      void check();
      return () => {
        streams.delete(stream);
        if (streams.size === 0 && open.get(key) === streams) open.delete(key);
        if (open.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
    check: () => void check(),
  };
}
