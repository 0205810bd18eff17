import { createHash, createPublicKey, verify } from "node:crypto";
import { fromBase64url, randomBytes, toBase64url } from "@countersign/shared";
import { createSoftAuthenticator } from "@countersign/test-kit/soft-authenticator";
import { verifyAuthenticationResponse } from "@simplewebauthn/server";
import { webauthn } from "../../../apps/broker/src/adapters/webauthn.js";
import { interleave, median, ratioOf, timePerCall } from "../measure.js";
import { atMost, microseconds, noGoal, type Row } from "../row.js";
import { coseKey } from "../system/cose.js";

/** An assertion by a known credential, checked as the broker checks it. */
export const assertion: Row = {
  name: "assertion",
  async run(bench) {
    const origin = "https://approve.example.com";
    const rpId = "approve.example.com";
    const authenticator = createSoftAuthenticator({ rpId, origin });
    const { credential } = authenticator;
    const challengeBytes = randomBytes(32);
    const given = await authenticator.assert(challengeBytes);
    const challenge = toBase64url(challengeBytes);

    const key = createPublicKey({ key: { ...credential.jwk }, format: "jwk" });
    const client = fromBase64url(given.response.clientDataJSON);
    const signed = Buffer.concat([
      fromBase64url(given.response.authenticatorData),
      createHash("sha256").update(client).digest(),
    ]);
    const signature = fromBase64url(given.response.signature);
    const publicKey = Uint8Array.from(coseKey(credential.jwk));

    const { clientDataJSON, authenticatorData, signature: der } = given.response;
    const response = {
      id: given.id,
      rawId: given.id,
      type: "public-key" as const,
      response: { clientDataJSON, authenticatorData, signature: der },
      clientExtensionResults: {},
    };
    const window = bench.smoke ? 10 : 400;
    const found = await interleave(bench.smoke ? 1 : 5, {
      ours: () =>
        timePerCall(window, () =>
          webauthn.verifyAssertion(given, { challenge, origin, rpId, credential }),
        ),
      bare: () =>
        timePerCall(window, () => {
          if (!verify("sha256", signed, key, signature)) throw new Error("not verified");
        }),
      library: () =>
        timePerCall(window, async () => {
          const { verified } = await verifyAuthenticationResponse({
            response,
            expectedChallenge: challenge,
            expectedOrigin: origin,
            expectedRPID: rpId,
            credential: { id: given.id, publicKey, counter: 0 },
          });
          if (!verified) throw new Error("not verified");
        }),
    });
    const ours = microseconds(median(found.ours));
    return {
      lines: [
        {
          what: "assertion check at the broker",
          ours,
          against: `crypto.verify with a cached key ${microseconds(median(found.bare))}`,
          ratio: ratioOf(found.ours, found.bare),
          goal: atMost(1.5),
        },
        {
          what: "assertion check at the broker",
          ours,
          against: `SimpleWebAuthn ${microseconds(median(found.library))}`,
          ratio: ratioOf(found.ours, found.library),
          goal: noGoal,
        },
      ],
    };
  },
};
