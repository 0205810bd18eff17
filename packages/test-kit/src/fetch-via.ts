import { Agent, type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";

/**
 * `fetch` as its caller knows it, by another way: same URL and Host, but the bytes go to a port of the test's own,
 * such as a line that it breaks. Its connections are kept alive and used again, as a browser's are. Answers but event
 * streams are read before they are given, at a fraction of `fetch`'s own price: load has to leave room for what it loads.
 * @param timeoutMilliseconds for callers that set no time of their own
 */
export function fetchVia(port: () => number, timeoutMilliseconds?: number): typeof fetch {
  const agent = new Agent({ keepAlive: true });
  return async (input, init = {}) => {
    const url = new URL(String(input));
    const { method = "GET", body, signal } = init;
    // What a body says of itself, such as a form, `fetch` would say.
    const given = new Headers(init.headers);
    if (body instanceof URLSearchParams && !given.has("content-type")) {
      given.set("content-type", "application/x-www-form-urlencoded;charset=UTF-8");
    }
    const headers = { ...Object.fromEntries(given), host: url.host };
    const limits = [
      signal ?? [],
      timeoutMilliseconds === undefined ? [] : AbortSignal.timeout(timeoutMilliseconds),
    ].flat();
    return new Promise((resolve, reject) => {
      const fail = (cause?: Error) => reject(new TypeError("fetch failed", { cause }));
      const call = request({
        ...{ host: "127.0.0.1", port: port(), agent, method, headers },
        path: url.pathname + url.search,
        ...(limits.length === 0 ? {} : { signal: AbortSignal.any(limits) }),
      });
      call.on("error", fail);
      call.on("response", (answer) => {
        answer.on("error", fail);
        const resolveWith = (content: BodyInit | null) =>
          resolve(
            new Response(content, { status: answer.statusCode ?? 0, headers: heads(answer) }),
          );
        if (answer.headers["content-type"]?.startsWith("text/event-stream")) {
          resolveWith(Readable.toWeb(answer) as ReadableStream<Uint8Array>);
          return;
        }
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("end", () => {
          resolveWith([204, 304].includes(answer.statusCode ?? 0) ? null : Buffer.concat(parts));
        });
      });
      call.end(
        body === undefined || body === null || body instanceof Uint8Array ? body : String(body),
      );
    });
  };
}

const heads = ({ headersDistinct }: IncomingMessage): [string, string][] =>
  Object.entries(headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
