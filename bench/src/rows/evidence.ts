import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import {
  type Approval,
  type Evidence,
  fromBase64url,
  parseLogProof,
  parseVkey,
  pre,
} from "@countersign/shared";
import { createHttpClient } from "../load/http.js";
import { interleave, median, ratioOf, timePerCall } from "../measure.js";
import { atMost, microseconds, type Row } from "../row.js";
import { ownRequestOf, pinOf, readEvidence, requireApproval } from "../system/agent.js";
import { type Pair, seedPairs } from "../system/pairs.js";
import { ask, clientToken, decide, poll, prepareRequest, sign } from "../system/request.js";
import { startBrokers } from "../system/server.js";

/** The agent's whole verification of real evidence, against the three signatures in it alone. */
export const evidence: Row = {
  name: "evidence",
  async run(bench) {
    const server = await bench.databases();
    const brokers = await startBrokers(await server.database());
    const [pair] = (await seedPairs(brokers.databaseUrl, brokers.origin, 1)) as [Pair];
    const http = createHttpClient(brokers.origin, brokers.ports[0] ?? 0, 2);
    const request = await prepareRequest(pair, await clientToken(pair, http));
    const reqNonce = await ask(http, request);
    await decide(http, request, await sign(http, request, reqNonce));
    const given = readEvidence(await poll(http, request));
    await http.close();
    await brokers.stop();

    const own = ownRequestOf(request, reqNonce);
    const pin = pinOf(pair);
    const checks = signatureChecks(pair, given);
    const window = bench.smoke ? 10 : 400;
    const found = await interleave(bench.smoke ? 1 : 5, {
      ours: () => timePerCall(window, () => requireApproval(given, own, pin)),
      bare: () => timePerCall(window, checks),
    });
    return {
      lines: [
        {
          what: "agent's verification of evidence",
          ours: microseconds(median(found.ours)),
          against: `its three signatures by crypto.verify with cached keys ${microseconds(median(found.bare))}`,
          ratio: ratioOf(found.ours, found.bare),
          goal: atMost(3),
        },
      ],
    };
  },
};

/** Of passkey, device and log. */
function signatureChecks(pair: Pair, { decisions, leaves }: Evidence): () => void {
  const approval = decisions[0] as Approval;
  const keyOf = (jwk: object): KeyObject =>
    createPublicKey({ key: { ...jwk }, format: "jwk" } as never);
  const credential = keyOf(pair.authenticator.credential.jwk);
  const device = keyOf(pair.device.keys.sig_jwk);
  const log = keyOf({
    ...{ kty: "OKP", crv: "Ed25519" },
    x: Buffer.from(parseVkey(pair.logKey).publicKey).toString("base64url"),
  });
  const { authenticatorData, clientDataJSON, signature } = approval.assertion.response;
  const asserted = Buffer.concat([
    fromBase64url(authenticatorData),
    createHash("sha256").update(fromBase64url(clientDataJSON)).digest(),
  ]);
  const der = fromBase64url(signature);
  const signed = pre("approve", fromBase64url(approval.statement));
  const raw = fromBase64url(approval.device_signature);
  const proof = leaves.find(({ record }) => record.kind === "approve")?.proof ?? "";
  const note = parseLogProof(proof).checkpoint;
  const noted = Buffer.from(note.slice(0, note.indexOf("\n\n") + 1));
  // Four octets of key id, then the signature.
  const sealed = Buffer.from(note.trimEnd().split(" ").at(-1) ?? "", "base64").subarray(4);
  return () => {
    const sound =
      verify("sha256", asserted, credential, der) &&
      verify("sha256", signed, { key: device, dsaEncoding: "ieee-p1363" }, raw) &&
      verify(null, noted, log, sealed);
    if (!sound) throw new Error("not verified");
  };
}
