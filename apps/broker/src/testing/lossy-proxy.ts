import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface LossyProxy {
  port: number;
  /**
   * Makes a call whose reply never arrives, though the broker did all of its work.
   * @throws Error when a reply did arrive
   */
  losingReply(call: () => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

/** Stands between a client and the broker's port, and can lose a reply on the way back. */
export async function startLossyProxy(targetPort: () => number): Promise<LossyProxy> {
  let lose = false;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(targetPort(), "127.0.0.1");
    let losing = false;
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.on("data", (chunk) => {
      // The first call after the word was given, whichever connection it comes on.
      if (lose) {
        lose = false;
        losing = true;
      }
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      if (losing) client.destroy();
      else client.write(chunk);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async losingReply(call) {
      lose = true;
      const answered = await call().then(
        () => true,
        () => false,
      );
      lose = false;
      if (answered) throw new Error("The reply was not lost.");
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
