import * as z from "zod/mini";
import { chainLink } from "./chain.js";
import { decision } from "./decision.js";
import { leafRecord } from "./leaf.js";
import { pairingAcceptance } from "./pairing.js";
import { base64url, bytes32, ecPublicJwk } from "./schema.js";

/** A record of the log, and the tlog-proof that a checkpoint covers it: none as long as that is to come. */
export const loggedLeaf = z.strictObject({
  record: leafRecord,
  proof: z.optional(z.string().check(z.maxLength(8000))),
});
export type LoggedLeaf = z.infer<typeof loggedLeaf>;

/**
 * All that proves a decision later and offline (section 3, object 10). The broker hands out everything but
 * `manifest`, which the agent adds, since the broker cannot read it.
 */
export const evidence = z.strictObject({
  v: z.literal(1),
  request: z.string().check(z.maxLength(20_000)),
  req_nonce: bytes32,
  agent_jwk: ecPublicJwk,
  pairings: z.array(pairingAcceptance).check(z.maxLength(64)),
  chains: z.array(z.array(chainLink)).check(z.maxLength(64)),
  decisions: z.array(decision).check(z.maxLength(64)),
  leaves: z.array(loggedLeaf).check(z.maxLength(256)),
  manifest: z.optional(base64url),
});
export type Evidence = z.infer<typeof evidence>;
