import type { Bytes } from "@countersign/shared";
import { type CallAnswer, toOctets } from "./answer.js";
import type { Transport } from "./transport.js";

const callMs = 15_000;

/** A file of a log: the log is for everybody, so there is no proof and no token. */
export async function readLogFile(
  transport: Transport,
  url: string,
  signal?: AbortSignal,
): Promise<CallAnswer<Bytes>> {
  return toOctets(
    await transport.send({ method: "GET", url, headers: {}, timeoutMs: callMs, signal }),
  );
}
