import { visible } from "@countersign/shared";
import { ClientError } from "../../errors.js";
import { pairedBroker } from "../../home/pins.js";
import { brokerFromEnvironment, defaultHome } from "../environment.js";
import { exitCodes } from "../exit-codes.js";
import { refuse, UsageError } from "../session.js";
import { type Fault, LogFault } from "./verified-log.js";

export const jsonArg = {
  json: { type: "boolean", description: "JSON on standard output, for programs" },
} as const;

export interface Output {
  /** Says it to a person, or to a program with `--json`. */
  say(text: string, object: object): void;
  /** Aborted by the first Ctrl-C. */
  signal: AbortSignal;
}

/** Runs one command of the audit and turns whatever happens into an exit code. */
export async function runAudit(
  { json }: { json?: boolean | undefined },
  command: (output: Output) => Promise<number>,
): Promise<void> {
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  const say = (text: string, object: object) => {
    process.stdout.write(`${json ? JSON.stringify(object) : text}\n`);
  };
  try {
    process.exitCode = await command({ say, signal: interrupted.signal });
  } catch (error) {
    if (error instanceof LogFault) {
      say(sayFault(error.fault), { status: "integrity_mismatch", faults: [error.fault] });
      process.exitCode = exitCodes.integrity_mismatch;
      return;
    }
    refuse(error, json);
    // What could not be looked at is neither sound nor tampered with.
    const away = error instanceof ClientError && error.code === "unreachable";
    if (away) process.exitCode = exitCodes.unreachable;
  }
}

const faultWords: Record<Fault["what"], string> = {
  missing: "Missing",
  malformed: "Malformed",
  signature: "Not signed",
  entry_differs: "Changed entry",
  tile_differs: "Changed",
  root_differs: "Another tree",
  rolled_back: "Rolled back",
  forked: "Forked",
};

export const sayFault = ({ what, where }: Fault): string =>
  `${faultWords[what]}: ${visible(where)}`;

/** The place of the log, where none was given: at the broker. */
export async function ownBroker(home: string = defaultHome()): Promise<string> {
  const url = brokerFromEnvironment() ?? (await pairedBroker(home));
  if (url === undefined)
    throw new UsageError("Which log? Give its URL, or the folder of a mirror.");
  return url;
}
