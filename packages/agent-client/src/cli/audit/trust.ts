import {
  bytes32,
  fromBase64url,
  ProtocolError,
  parsePairingStatement,
  parseVkey,
  thumbprint,
  type VerifiedChain,
} from "@countersign/shared";
import * as z from "zod/mini";
import { siteOf } from "../../client/site.js";
import { ClientError } from "../../errors.js";
import { logKeyOf, openPins, type Pin, pairedBroker } from "../../home/pins.js";
import { defaultHome } from "../environment.js";
import { UsageError } from "../session.js";

/** What an audit believes to begin with. All else is proved by it. */
export interface Trust {
  logKey: string;
  /** Whether this is the key chain of an approver who was pinned. @throws UsageError where nobody was */
  isPinned(chain: VerifiedChain): boolean;
}

export const trustArgs = {
  home: {
    type: "string",
    description: "The agent's directory, whose pinned keys count where no others are given",
  },
  "log-key": {
    type: "string",
    description: "The log's public key (C2SP vkey). Default: the one that this agent pinned",
  },
  "approver-key": {
    type: "string",
    description:
      "Thumbprints of the approvers' root passkeys, separated by commas. Default: the approvers that this agent pinned",
  },
} as const;

export interface TrustArgs {
  home?: string | undefined;
  "log-key"?: string | undefined;
  "approver-key"?: string | undefined;
}

/** Keys that were given, or those that this agent pinned. @throws UsageError where there are neither */
export async function readTrust(args: TrustArgs): Promise<Trust> {
  const given = args["approver-key"]?.split(",");
  const pins = args["log-key"] && given ? [] : await pinsOf(args.home ?? defaultHome());
  return {
    logKey: args["log-key"] === undefined ? pinnedLogKey(pins) : checkedLogKey(args["log-key"]),
    isPinned: given ? byRootKey(given) : byPins(pins),
  };
}

async function pinsOf(home: string): Promise<Pin[]> {
  const issuer = await pairedBroker(home);
  return issuer === undefined ? [] : (await openPins(home, siteOf(issuer))).all();
}

function pinnedLogKey(pins: readonly Pin[]): string {
  if (pins.length === 0) {
    throw new UsageError("This home is paired with nobody. Which log? Give --log-key <vkey>.");
  }
  return logKeyOf(pins);
}

function checkedLogKey(text: string): string {
  try {
    parseVkey(text);
    return text;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new UsageError("The log's key is a C2SP vkey: <name>+<id>+<key>.");
  }
}

function byRootKey(keys: readonly string[]): Trust["isPinned"] {
  if (keys.some((key) => !z.safeParse(bytes32, key).success)) {
    throw new UsageError("An approver's key is given by its thumbprint: `countersign audit keys`.");
  }
  return (chain) => keys.includes(rootKeyOf(chain));
}

/**
 * A chain that goes through the place that P named is the one that this agent knows.
 * @throws UsageError when it is asked and nobody is pinned
 */
function byPins(pins: readonly Pin[]): Trust["isPinned"] {
  return ({ approver, heads }) => {
    // With nobody to hold it to, evidence is not tampered with: it cannot be judged.
    if (pins.length === 0) {
      throw new UsageError("Whose decision counts? Give --approver-key <thumbprint>.");
    }
    const pin = pins.find((each) => each.approver === approver);
    if (!pin) return false;
    const { chain } = parsePairingStatement(fromBase64url(pin.acceptance.statement));
    return heads[chain.seq] === chain.head;
  };
}

/** The passkey that an approver enrolled with: its thumbprint (RFC 7638). */
export function rootKeyOf({ root }: VerifiedChain): string {
  const [credential] = root.credentials;
  if (!credential) throw new ClientError("home_corrupt");
  return thumbprint(credential.jwk);
}
