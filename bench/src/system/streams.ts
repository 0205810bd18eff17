import { connect, type Socket } from "node:net";

/** Idle readers of event streams, as little of a client as can be. */
export interface Readers {
  /** Resolves when every reader has got an event since the call. */
  everybodyWoken(): Promise<void>;
  close(): void;
}

const openAtOnce = 64;

export interface StreamRequest {
  path: string;
  headers: Record<string, string>;
}

/** @param makeRequest called just before each one is sent: a proof is good for a minute, and opening takes longer */
export async function openReaders(
  port: number,
  host: string,
  count: number,
  makeRequest: (index: number) => Promise<StreamRequest>,
): Promise<Readers> {
  const sockets: Socket[] = [];
  let onEvent = (_: Socket): void => {};
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const request = await makeRequest(index);
      sockets.push(await openOne(port, host, request, (socket) => onEvent(socket)));
    }
  };
  await Promise.all(Array.from({ length: openAtOnce }, worker));
  return {
    everybodyWoken: () =>
      new Promise((resolve) => {
        const asleep = new Set(sockets);
        onEvent = (socket) => {
          asleep.delete(socket);
          if (asleep.size === 0) resolve();
        };
      }),
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Resolves at the stream's first comment. */
function openOne(
  port: number,
  host: string,
  { path, headers }: StreamRequest,
  onEvent: (socket: Socket) => void,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const lines = Object.entries({ host, ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    socket.setEncoding("latin1").on("data", (text: string) => {
      if (text.includes(": ready")) resolve(socket);
      else if (!text.startsWith("HTTP/1.1 200") && text.startsWith("HTTP/"))
        reject(new Error(text));
      if (text.includes("data: ")) onEvent(socket);
    });
    socket.once("error", reject);
  });
}
