import { Agent, request } from "node:http";
import { Readable } from "node:stream";

/**
 * `fetch` as its caller knows it, by another way: same URL and Host, but the bytes go to a port of the test's own,
 * such as a line that it breaks. Its connections are kept alive and used again, as a browser's are.
 * @param timeoutMilliseconds for callers that set no time of their own
 */
export function fetchVia(port: () => number, timeoutMilliseconds?: number): typeof fetch {
  const agent = new Agent({ keepAlive: true });
  return async (input, init = {}) => {
    const url = new URL(String(input));
    const { method = "GET", body, signal } = init;
    const headers = { ...Object.fromEntries(new Headers(init.headers)), host: url.host };
    const limits = [
      signal ?? [],
      timeoutMilliseconds === undefined ? [] : AbortSignal.timeout(timeoutMilliseconds),
    ].flat();
    return new Promise((resolve, reject) => {
      const call = request({
        ...{ host: "127.0.0.1", port: port(), agent, method, headers },
        path: url.pathname + url.search,
        signal: AbortSignal.any(limits),
      });
      call.on("error", (cause) => reject(new TypeError("fetch failed", { cause })));
      call.on("response", (answer) => {
        // Whoever reads it learns of what breaks it.
        answer.on("error", () => {});
        const status = answer.statusCode ?? 0;
        const given = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
          values.map((value): [string, string] => [name, value]),
        );
        const stream = [204, 304].includes(status)
          ? null
          : (Readable.toWeb(answer) as ReadableStream<Uint8Array>);
        if (stream === null) answer.resume();
        resolve(new Response(stream, { status, headers: given }));
      });
      call.end(body ?? undefined);
    });
  };
}
