import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { type Approval, fromBase64url, pre } from "@countersign/shared";
import { createHttpClient } from "../load/http.js";
import { interleave, median, ratioOf, timePerCall } from "../measure.js";
import { atMost, microseconds, type Row } from "../row.js";
import { ownRequestOf, pinOf, readEvidence, requireApproval } from "../system/agent.js";
import { type Pair, seedPairs } from "../system/pairs.js";
import { ask, clientToken, decide, poll, prepareRequest, sign } from "../system/request.js";
import { startBrokers } from "../system/server.js";

/** The agent's whole verification of real evidence, against the two signatures in it alone. */
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
    const checks = signatureChecks(pair, given.decisions[0] as Approval);
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
          against: `its two signatures by crypto.verify with cached keys ${microseconds(median(found.bare))}`,
          ratio: ratioOf(found.ours, found.bare),
          goal: atMost(3),
        },
      ],
    };
  },
};

function signatureChecks(pair: Pair, approval: Approval): () => void {
  const keyOf = (jwk: object): KeyObject =>
    createPublicKey({ key: { ...jwk }, format: "jwk" } as never);
  const credential = keyOf(pair.authenticator.credential.jwk);
  const device = keyOf(pair.device.keys.sig_jwk);
  const { authenticatorData, clientDataJSON, signature } = approval.assertion.response;
  const asserted = Buffer.concat([
    fromBase64url(authenticatorData),
    createHash("sha256").update(fromBase64url(clientDataJSON)).digest(),
  ]);
  const der = fromBase64url(signature);
  const signed = pre("approve", fromBase64url(approval.statement));
  const raw = fromBase64url(approval.device_signature);
  return () => {
    const sound =
      verify("sha256", asserted, credential, der) &&
      verify("sha256", signed, { key: device, dsaEncoding: "ieee-p1363" }, raw);
    if (!sound) throw new Error("not verified");
  };
}
