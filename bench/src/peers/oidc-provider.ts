import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { verifyAuthenticationResponse } from "@simplewebauthn/server";
import Provider, { type Adapter, type AdapterPayload, type Configuration } from "oidc-provider";
import pg from "pg";

// The peer: `oidc-provider` with CIBA in poll mode, and an endpoint where a phone's assertion is verified by
// SimpleWebAuthn. A process of its own, as our broker is. What its parent wants comes as its one argument.

/** The one client and the one credential, and where to keep things. */
export interface PeerSetup {
  port: number;
  /** Without one it keeps everything in memory. */
  databaseUrl?: string;
  /** Signed requests, `private_key_jwt` and DPoP, as ours; else `private_key_jwt` alone. */
  alike: boolean;
  clientJwk: object;
  clientId: string;
  credential: { id: string; publicKey: string };
}

const bytes = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.from(text, "base64url"));

/** One table, and one statement for each call; by their names they are prepared once on each connection. */
const statements = {
  upsert: `insert into oidc (type, id, payload, grant_id, expires_at) values ($1, $2, $3, $4, $5)
    on conflict (type, id) do update set payload = excluded.payload, grant_id = excluded.grant_id,
      expires_at = excluded.expires_at`,
  find: "select payload, consumed_at from oidc where type = $1 and id = $2",
  consume: "update oidc set consumed_at = now() where type = $1 and id = $2",
  destroy: "delete from oidc where type = $1 and id = $2",
  revoke: "delete from oidc where grant_id = $1",
};

/** As plain as the documentation's example. */
async function postgresAdapter(databaseUrl: string): Promise<(name: string) => Adapter> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  await pool.query(`create table if not exists oidc (type text, id text, payload jsonb not null,
    grant_id text, expires_at timestamptz, consumed_at timestamptz, primary key (type, id))`);
  const run = (name: keyof typeof statements, ...values: unknown[]) =>
    pool.query({ name, text: statements[name], values });
  return (type) => ({
    async upsert(id, payload, expiresIn) {
      const expires = expiresIn ? new Date(Date.now() + expiresIn * 1000) : null;
      await run("upsert", type, id, payload, payload.grantId ?? null, expires);
    },
    async find(id) {
      const [row] = (await run("find", type, id)).rows;
      if (!row) return undefined;
      return {
        ...(row.payload as AdapterPayload),
        ...(row.consumed_at ? { consumed: true } : {}),
      };
    },
    findByUserCode: async () => undefined,
    findByUid: async () => undefined,
    async consume(id) {
      await run("consume", type, id);
    },
    async destroy(id) {
      await run("destroy", type, id);
    },
    async revokeByGrantId(grantId) {
      await run("revoke", grantId);
    },
  });
}

async function configurationOf(setup: PeerSetup): Promise<Configuration> {
  const { alike, clientId, clientJwk, databaseUrl } = setup;
  return {
    ...(databaseUrl === undefined ? {} : { adapter: await postgresAdapter(databaseUrl) }),
    clients: [
      {
        client_id: clientId,
        grant_types: ["urn:openid:params:grant-type:ciba"],
        response_types: [],
        redirect_uris: [],
        token_endpoint_auth_method: "private_key_jwt",
        token_endpoint_auth_signing_alg: "ES256",
        id_token_signed_response_alg: "ES256",
        backchannel_token_delivery_mode: "poll",
        ...(alike
          ? {
              backchannel_authentication_request_signing_alg: "ES256",
              dpop_bound_access_tokens: true,
            }
          : {}),
        jwks: { keys: [clientJwk as never] },
      },
    ],
    jwks: { keys: [signingJwk() as never] },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: alike },
      requestObjects: { enabled: alike },
      ciba: {
        enabled: true,
        deliveryModes: ["poll"],
        processLoginHint: async (_, hint) => hint,
        verifyUserCode: async () => {},
        validateBindingMessage: async () => {},
        validateRequestContext: async () => {},
        triggerAuthenticationDevice: async () => {},
      },
    },
  };
}

function signingJwk(): object {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig", kid: "peer" };
}

/** A phone's decision: the assertion over the request's id, verified once, and the grant that it makes. */
async function decide(provider: Provider, setup: PeerSetup, incoming: IncomingMessage) {
  const { auth_req_id: id, assertion } = (await json(incoming)) as {
    auth_req_id: string;
    assertion: { id: string; response: never };
  };
  const origin = `http://localhost:${setup.port}`;
  const { verified } = await verifyAuthenticationResponse({
    response: {
      ...assertion,
      rawId: assertion.id,
      type: "public-key",
      clientExtensionResults: {},
    },
    expectedChallenge: Buffer.from(id).toString("base64url"),
    expectedOrigin: origin,
    expectedRPID: "localhost",
    requireUserVerification: true,
    credential: {
      id: setup.credential.id,
      publicKey: bytes(setup.credential.publicKey),
      counter: 0,
    },
  });
  if (!verified) throw new Error("not verified");
  const grant = new provider.Grant({ clientId: setup.clientId, accountId: "ada" });
  grant.addOIDCScope("openid");
  await grant.save();
  await provider.backchannelResult(id, grant);
}

async function main(): Promise<void> {
  const setup = JSON.parse(process.argv[2] ?? "{}") as PeerSetup;
  const provider = new Provider(`http://localhost:${setup.port}`, await configurationOf(setup));
  provider.on("server_error", (_: unknown, error: Error) => console.error(error));
  const handle = provider.callback();
  const server = createServer((incoming, outgoing) => {
    if (incoming.url !== "/decide") {
      handle(incoming, outgoing);
      return;
    }
    decide(provider, setup, incoming).then(
      () => outgoing.writeHead(204).end(),
      (error: unknown) => outgoing.writeHead(500).end(String(error)),
    );
  });
  await once(server.listen(setup.port, "127.0.0.1"), "listening");
  // Its parent has gone, however that happened.
  process.on("disconnect", () => process.exit());
  process.stdout.write("ready\n");
}

await main();
