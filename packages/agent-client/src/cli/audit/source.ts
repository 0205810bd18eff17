import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bytes } from "@countersign/shared";
import { type Clock, systemClock } from "../../clock.js";
import { ClientError } from "../../errors.js";
import { isErrno } from "../../home/durable-file.js";
import { readLogFile } from "../../http/log.js";
import { retrying } from "../../http/retry.js";
import { createTransport } from "../../http/transport.js";
import { UsageError } from "../session.js";

/** Somewhere that a log's files are: at a broker, at whoever serves a mirror, in a folder. */
export interface LogSource {
  name: string;
  /**
   * @param path `checkpoint`, `tile/0/000.p/7`
   * @returns undefined when there is no such file
   * @throws ClientError `unreachable`
   */
  read(path: string): Promise<Bytes | undefined>;
}

/** A mirror that starts from nothing is slowed down by the broker's limits. */
const retryForMs = 120_000;

/** @param place URL of a broker or of a log's files, or a folder */
export function openSource(place: string, clock: Clock = systemClock): LogSource {
  return /^https?:/.test(place) ? sourceAt(place, clock) : folderSource(place);
}

function sourceAt(place: string, clock: Clock): LogSource {
  if (!URL.canParse(place)) throw new UsageError(`Not a URL: ${place}`);
  const url = new URL(place);
  const prefix = url.pathname === "/" ? "/log" : url.pathname.replace(/\/$/, "");
  const transport = createTransport(globalThis.fetch, clock);
  return {
    name: url.origin + prefix,
    async read(path) {
      const untilMs = clock.monotonic() + retryForMs;
      const call = () => readLogFile(transport, `${url.origin}${prefix}/${path}`);
      const answer = await retrying(call, { clock, untilMs });
      if (answer.ok) return answer.value;
      if (!answer.transient && answer.status === 404) return undefined;
      throw new ClientError("unreachable", { detail: answer.code });
    },
  };
}

export function folderSource(directory: string): LogSource {
  return {
    name: directory,
    async read(path) {
      try {
        return new Uint8Array(await readFile(join(directory, path)));
      } catch (error) {
        if (isErrno(error, "ENOENT") || isErrno(error, "ENOTDIR")) return undefined;
        throw new ClientError("unreachable", { cause: error, detail: path });
      }
    },
  };
}
