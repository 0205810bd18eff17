import { once } from "node:events";
import {
  type AddressInfo,
  connect,
  createServer,
  type NetConnectOpts,
  type Socket,
} from "node:net";

/** Towards whom bytes travel: `up` to the server, `down` to whoever called. */
export type Direction = "up" | "down";

export interface TcpProxy {
  port: number;
  /** Bytes in these directions are swallowed from now on, without a word: a partition, or half of one. */
  block(...directions: Direction[]): void;
  /** Bytes in these directions wait for {@link heal}, and then arrive: a partition that TCP outlives. */
  hold(...directions: Direction[]): void;
  /** Bytes are late by so many milliseconds, in order, from now on. */
  delay(milliseconds: number): void;
  /** New connections are taken and lead nowhere; those that are there go on. */
  halfOpen(): void;
  /** Ends the fault. Connections that lost bytes do not recover: {@link cut} them to be done with them. */
  heal(): void;
  /** Closes every connection in order (FIN), or by a reset (RST). */
  cut(how?: "close" | "reset"): void;
  /**
   * What the server answers to the next matching bytes never arrives, though it did all the work: the connection is
   * closed in its place.
   * @param matches told of each piece that goes up, by connection
   * @returns resolves when it has happened
   */
  swallowReply(matches: (piece: Buffer, connection: object) => boolean): Promise<void>;
  close(): Promise<void>;
}

/** A line to a server, over TCP, that a test can break in the ways in which lines break. */
export async function startTcpProxy(target: () => NetConnectOpts): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const blocked = new Set<Direction>();
  const holding = new Set<Direction>();
  let held: (() => void)[] = [];
  let late = 0;
  let leadsNowhere = false;
  let swallow: { matches(piece: Buffer, connection: object): boolean; done(): void } | undefined;

  const send = (direction: Direction, socket: Socket, piece: Buffer): void => {
    if (blocked.has(direction)) return;
    if (holding.has(direction)) held.push(() => socket.writable && socket.write(piece));
    // Timers of one length fire in order.
    else if (late > 0) setTimeout(() => socket.writable && socket.write(piece), late);
    else socket.write(piece);
  };

  const server = createServer((caller) => {
    sockets.add(caller);
    caller.on("error", () => {});
    caller.on("close", () => sockets.delete(caller));
    if (leadsNowhere) {
      caller.resume();
      return;
    }
    const upstream = connect(target());
    let losing: (() => void) | undefined;
    sockets.add(upstream);
    upstream.on("error", () => caller.destroy());
    upstream.on("close", () => {
      sockets.delete(upstream);
      caller.destroy();
    });
    caller.on("close", () => upstream.destroy());
    caller.on("data", (piece: Buffer) => {
      if (!blocked.has("up") && swallow?.matches(piece, caller)) {
        losing = swallow.done;
        swallow = undefined;
      }
      send("up", upstream, piece);
    });
    upstream.on("data", (piece: Buffer) => {
      if (losing) {
        losing();
        caller.destroy();
      } else send("down", caller, piece);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");

  const cut = (how: "close" | "reset" = "close"): void => {
    for (const socket of sockets) {
      // Only TCP knows a reset; the server may be on a Unix socket.
      if (how === "reset" && socket.localPort !== undefined) socket.resetAndDestroy();
      else socket.destroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    block: (...directions) => {
      for (const direction of directions) blocked.add(direction);
    },
    hold: (...directions) => {
      for (const direction of directions) holding.add(direction);
    },
    delay: (milliseconds) => {
      late = milliseconds;
    },
    halfOpen: () => {
      leadsNowhere = true;
    },
    heal: () => {
      blocked.clear();
      holding.clear();
      for (const release of held) release();
      held = [];
      late = 0;
      leadsNowhere = false;
    },
    cut,
    swallowReply: (matches) =>
      new Promise((done) => {
        swallow = { matches, done };
      }),
    async close() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
