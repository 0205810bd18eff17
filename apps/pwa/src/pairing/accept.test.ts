import {
  parsePairingStatement,
  publicJwk,
  randomBytes,
  randomId,
  randomNonce,
  thumbprint,
} from "@countersign/shared";
import { expect, test, vi } from "vitest";
import type { Device } from "../keys/device.js";
import { acceptOffer } from "./accept.js";

// What is signed is the matter here, not by whom.
vi.mock("../keys/passkey.js", () => ({ assertWith: async () => ({ id: "AA", response: {} }) }));
vi.mock("@countersign/shared", async (original) => ({
  ...(await original<typeof import("@countersign/shared")>()),
  verifyAssertion: async () => {},
}));

test("nobody can choose all of P: the phone puts a nonce of its own into each, at the tap", async () => {
  const origin = "https://countersign.example";
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const pair = await crypto.subtle.generateKey(curve, false, ["sign", "verify"]);
  const jwk = await publicJwk(pair.publicKey);
  const parts = {
    site: { issuer: origin, rp_id: "countersign.example", origin },
    logKey: "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    device: {
      approver: randomId(),
      kid: thumbprint(jwk),
      publicKeys: { sig_jwk: jwk, enc_jwk: jwk },
      signingKey: pair.privateKey,
    } as Device,
    me: {
      approver: randomId(),
      name: "Ada",
      credentials: [{ id: "AA", jwk, be: true, created_at: 1 }],
      devices: [],
      chain: { seq: 0, head: randomNonce() },
    },
    offer: {
      pairing_id: randomNonce(),
      agent_jwk: jwk,
      name: "agent",
      host: "host",
      commit: randomNonce(),
      iss: thumbprint(jwk),
      aud: origin,
      iat: 1,
      exp: 600,
    },
    secret: randomBytes(32),
    nonce: randomNonce(),
  };
  // Everything that a server could choose is the same both times.
  const [first, second] = [await acceptOffer(parts), await acceptOffer(parts)];
  const nonces = [first, second].map((made) => parsePairingStatement(made.statement).phone_nonce);
  expect(new Set(nonces).size).toBe(2);
});
