import { Pool } from "undici";

export interface Answer {
  status: number;
  body: Buffer;
}

/** A keep-alive client that costs the machine little: what is measured is the server. */
export interface HttpClient {
  call(
    method: "GET" | "POST" | "PUT",
    path: string,
    headers: Record<string, string>,
    body?: string | Uint8Array,
  ): Promise<Answer>;
  close(): Promise<void>;
}

/** @param origin what the server calls itself; the connection goes to `port` of this machine */
export function createHttpClient(origin: string, port: number, connections: number): HttpClient {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1 });
  const { host } = new URL(origin);
  return {
    async call(method, path, headers, body) {
      const answer = await pool.request({
        method,
        path,
        headers: { host, ...headers },
        body: body ?? null,
      });
      return {
        status: answer.statusCode,
        body: Buffer.from(await answer.body.arrayBuffer()),
      };
    },
    close: () => pool.close(),
  };
}

/** @throws when the answer is anything but a yes: a benchmark of refusals measures nothing */
export function accepted(what: string, { status, body }: Answer): Buffer {
  if (status >= 200 && status < 300) return body;
  throw new Error(`${what}: ${status} ${body.toString("utf8").slice(0, 300)}`);
}
