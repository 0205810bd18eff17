import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";

export interface Balancer {
  port: number;
  /**
   * From now on every call is delivered a second time, when it was answered; nobody hears the second answer.
   * @param latestMilliseconds by chance, so late at most: later calls come before it
   */
  duplicate(latestMilliseconds?: number): void;
  close(): Promise<void>;
}

/**
 * What stands before several brokers: passes each request, whole streams too, to one of them. Does what a usual
 * proxy does and no more: where nobody listens, the next one is tried; a connection that breaks later breaks for the caller.
 * @param pick ports in the order in which they are to be tried
 */
export async function startBalancer(
  pick: (call: IncomingMessage) => readonly number[],
): Promise<Balancer> {
  let twice: { latestMilliseconds: number } | undefined;
  const agent = new Agent({ keepAlive: true });
  const server = createServer((call, answer) => {
    const parts: Buffer[] = [];
    call.on("data", (part: Buffer) => parts.push(part));
    call.on("error", () => answer.destroy());
    call.on("end", () => {
      const body = Buffer.concat(parts);
      pass([...pick(call)], body);
      if (!twice) return;
      const lateMilliseconds = Math.random() * twice.latestMilliseconds;
      answer.on("finish", () => setTimeout(() => again(pick(call)[0], body), lateMilliseconds));
    });

    const again = (port: number | undefined, body: Buffer): void => {
      const { method = "GET", url = "/", headers } = call;
      const copy = request({ host: "127.0.0.1", port, method, path: url, headers, agent });
      copy.on("response", (given) => given.resume());
      copy.on("error", () => {});
      copy.end(body);
    };
    const pass = ([port, ...others]: number[], body: Buffer): void => {
      if (port === undefined) {
        answer.writeHead(502).end();
        return;
      }
      const { method = "GET", url = "/", headers } = call;
      const onward = request({ host: "127.0.0.1", port, method, path: url, headers, agent });
      onward.on("response", (given) => {
        answer.writeHead(given.statusCode ?? 502, given.headers);
        answer.flushHeaders();
        given.on("error", () => answer.destroy());
        given.on("close", () => {
          if (!given.complete) answer.destroy();
        });
        given.pipe(answer);
      });
      onward.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ECONNREFUSED") pass(others, body);
        else answer.destroy();
      });
      answer.on("close", () => onward.destroy());
      onward.end(body);
    };
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    duplicate: (latestMilliseconds = 0) => {
      twice = { latestMilliseconds };
    },
    async close() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
