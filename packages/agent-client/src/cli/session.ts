import { visible } from "@countersign/shared";
import { type Client, createClient } from "../client/create-client.js";
import { ClientError } from "../errors.js";
import { pairedBroker } from "../home/pins.js";
import { brokerFromEnvironment, defaultHome } from "./environment.js";
import { exitCodes } from "./exit-codes.js";

/** Arguments of every command. */
export const commonArgs = {
  broker: {
    type: "string",
    description:
      "URL of the broker. Default: $COUNTERSIGN_BROKER, or the one that this home is paired with",
    valueHint: "https://approve.example.com",
  },
  home: {
    type: "string",
    description:
      "Directory of key, pins and journal. Default: $COUNTERSIGN_HOME, $XDG_STATE_HOME/countersign or ~/.local/state/countersign",
  },
  json: { type: "boolean", description: "One JSON object a line on standard output, for programs" },
} as const;

export interface CommonArgs {
  broker?: string | undefined;
  home?: string | undefined;
  json?: boolean | undefined;
}

export interface Session {
  client: Client;
  /** Aborted by the first Ctrl-C: a request is then taken back. */
  signal: AbortSignal;
  /** Says it to a person, or to a program with `--json`. */
  say(text: string, object: object): void;
}

/** A refusal for a person who used the command wrongly. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Runs one command and turns whatever happens into an exit code. Nothing it prints holds a secret. */
export async function runSession(
  args: CommonArgs,
  command: (session: Session) => Promise<number>,
): Promise<void> {
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  try {
    const home = args.home ?? defaultHome();
    const brokerUrl = args.broker ?? brokerFromEnvironment() ?? (await pairedBroker(home));
    if (brokerUrl === undefined) throw new UsageError("Which broker? Give --broker <url>.");
    const say = (text: string, object: object) =>
      process.stdout.write(`${args.json ? JSON.stringify(object) : text}\n`);
    const client = await createClient({ brokerUrl, home });
    process.exitCode = await command({ client, signal: interrupted.signal, say });
  } catch (error) {
    refuse(error, args.json);
  }
}

/** Says why a command did nothing. @throws what is neither a refusal nor wrong use: a bug */
export function refuse(error: unknown, json: boolean | undefined): void {
  if (!(error instanceof ClientError || error instanceof UsageError)) throw error;
  const code = error instanceof ClientError ? error.code : "usage";
  if (json) process.stdout.write(`${JSON.stringify({ status: "error", code })}\n`);
  process.stderr.write(`${visible(error.message)}\n`);
  // Here options are words of the command.
  const isWrongUse = code === "usage" || code === "invalid_options";
  process.exitCode = isWrongUse ? exitCodes.usage : exitCodes.failed;
}
