import { createHash, generateKeyPairSync, randomUUID } from "node:crypto";
import { freePort } from "@countersign/test-kit/broker-process";
import { cibaGrantType, clientAssertionType } from "@countersign/test-kit/soft-agent";
import { createSoftAuthenticator } from "@countersign/test-kit/soft-authenticator";
import { SignJWT } from "jose";
import type { PeerSetup } from "../peers/oidc-provider.js";
import { coseKey } from "../system/cose.js";
import { startProgram } from "../system/program.js";
import type { Load, LoadOptions } from "./api.js";
import { accepted, createHttpClient } from "./http.js";

const formType = { "content-type": "application/x-www-form-urlencoded" };
const clientId = "bench-agent";

/** The peer's whole trip: request, decision with one assertion, token. */
export async function openOidc({ alike = false, databaseUrl }: LoadOptions): Promise<Load> {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const publicJwk = publicKey.export({ format: "jwk" });
  const kid = createHash("sha256").update(JSON.stringify(publicJwk)).digest("base64url");
  const authenticator = createSoftAuthenticator({ rpId: "localhost", origin });
  const { id, jwk } = authenticator.credential;
  const setup: PeerSetup = {
    port,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    alike,
    clientId,
    clientJwk: { ...publicJwk, kid, alg: "ES256", use: "sig" },
    credential: { id, publicKey: coseKey(jwk).toString("base64url") },
  };
  const peer = await startProgram("peers/oidc-provider.ts", setup);
  const http = createHttpClient(origin, port, 64);

  const jwt = (claims: Record<string, unknown>, header: Record<string, unknown> = { kid }) => {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ jti: randomUUID(), iat: now, ...claims })
      .setProtectedHeader({ alg: "ES256", ...header })
      .sign(privateKey);
  };
  const form = async (parameters: Record<string, string>): Promise<string> => {
    const exp = Math.floor(Date.now() / 1000) + 300;
    return new URLSearchParams({
      client_assertion_type: clientAssertionType,
      client_assertion: await jwt({ iss: clientId, sub: clientId, aud: origin, exp }),
      client_id: clientId,
      ...parameters,
    }).toString();
  };
  const ask = { scope: "openid", login_hint: "ada" };
  const signedAsk = async (): Promise<Record<string, string>> => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { ...ask, iss: clientId, aud: origin, nbf: now, exp: now + 300 };
    return { request: await jwt(claims) };
  };
  const prepared: { ask: string; poll: string; dpop: Record<string, string> }[] = [];
  return {
    pids: [peer.pid],
    async prepare(count) {
      while (prepared.length < count) {
        const proof = () =>
          jwt({ htm: "POST", htu: `${origin}/token` }, { typ: "dpop+jwt", jwk: publicJwk });
        prepared.push({
          ask: await form(alike ? await signedAsk() : ask),
          poll: await form({ grant_type: cibaGrantType }),
          dpop: alike ? { dpop: await proof() } : {},
        });
      }
    },
    async one() {
      const trip = prepared.shift();
      if (!trip) throw new Error("nothing is prepared");
      const asked = accepted("ask", await http.call("POST", "/backchannel", formType, trip.ask));
      const { auth_req_id: rid } = JSON.parse(asked.toString("utf8")) as { auth_req_id: string };
      const assertion = await authenticator.assert(Uint8Array.from(Buffer.from(rid)));
      const decision = JSON.stringify({ auth_req_id: rid, assertion });
      accepted("decide", await http.call("POST", "/decide", {}, decision));
      const body = `${trip.poll}&auth_req_id=${rid}`;
      accepted("token", await http.call("POST", "/token", { ...formType, ...trip.dpop }, body));
    },
    async close() {
      await http.close();
      await peer.stop();
    },
  };
}
