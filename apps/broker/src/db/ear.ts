import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { clientConfig } from "./database-url.js";

/** Brokers say something more often. */
const silenceMilliseconds = 6_000;
const longestPause = 1_000;
const closeMilliseconds = 1_000;

/**
 * Waits for notifications on a connection of its own, which is opened anew whenever it ends or has been silent for
 * longer than brokers are.
 * @param onHint also called after each opening: what was sent meanwhile is lost
 */
export function hear(
  databaseUrl: string,
  channel: string,
  onHint: (payload?: string) => void,
): { close(): Promise<void> } {
  const config = { ...clientConfig(databaseUrl, {}), stream: silentNever };
  let ear: pg.Client;
  let retry: NodeJS.Timeout | undefined;
  let failures = 0;
  let isOver = false;
  const open = (): void => {
    const client = new pg.Client(config);
    ear = client;
    let isLost = false;
    const lose = (): void => {
      if (isLost || isOver) return;
      isLost = true;
      retry = setTimeout(open, Math.min(50 * 2 ** failures, longestPause));
      failures += 1;
      void client.end();
    };
    client.on("error", lose).on("end", lose);
    client.on("notification", ({ payload }) => onHint(payload));
    const listen = async (): Promise<void> => {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(channel)}`);
      failures = 0;
      onHint();
    };
    listen().catch(lose);
  };
  open();
  return {
    close: async () => {
      isOver = true;
      clearTimeout(retry);
      await Promise.race([ear.end(), sleep(closeMilliseconds, undefined, { ref: false })]);
    },
  };
}

/** Closes when nothing was heard on it for too long, and its owner hears of that. */
function silentNever(): Socket {
  const socket = new Socket();
  return socket.setTimeout(silenceMilliseconds, () => socket.destroy());
}
