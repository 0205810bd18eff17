import {
  chainChallenge,
  chainHead,
  chainRootBytes,
  nonceCommitment,
  type PairingAcceptance,
  pairingChallenge,
  pairingId,
  pairingMac,
  pairingStatementBytes,
  parse,
  randomBytes,
  randomId,
  randomNonce,
  type Site,
  sha256Text,
  signPairingOffer,
  siteInfo,
  toBase64url,
  utf8,
} from "@countersign/shared";
import { withServer } from "@countersign/test-kit/postgres-server";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import {
  createSoftAuthenticator,
  type SoftAuthenticator,
} from "@countersign/test-kit/soft-authenticator";
import { createSoftDevice, type SoftDevice } from "@countersign/test-kit/soft-device";
import type { Sql } from "@countersign/test-kit/sql";

/** An agent and the approver it is paired with, signed in on one phone. */
export interface Pair {
  site: Site;
  agent: SoftAgent;
  approver: string;
  authenticator: SoftAuthenticator;
  device: SoftDevice;
  /** The session's cookie. */
  cookie: string;
  acceptance: PairingAcceptance;
  chain: { seq: number; head: string };
  /** What the agent pinned of the log. */
  logKey: string;
}

export const siteAt = (origin: string): Site => ({
  issuer: origin,
  rp_id: new URL(origin).hostname,
  origin,
});

/**
 * Makes pairs with real keys and real signatures, and writes their rows at once: by the product's own way
 * each takes twenty calls and a person, and its limits are made for that.
 */
export async function seedPairs(
  databaseUrl: string,
  origin: string,
  count: number,
): Promise<Pair[]> {
  const logKey = await logKeyAt(origin);
  const made: Awaited<ReturnType<typeof makePair>>[] = [];
  for (let index = 0; index < count; index++) made.push(await makePair(origin, logKey));
  const rows = made.map((each) => each.rows);
  await withServer(databaseUrl, (sql) => insertRows(sql, rows));
  return made.map(({ pair }) => pair);
}

const logKeyAt = async (origin: string): Promise<string> =>
  parse(siteInfo, await (await fetch(`${origin}/app/site`)).json()).log_key;

async function makePair(origin: string, logKey: string) {
  const site = siteAt(origin);
  const agent = await createSoftAgent({ origin });
  const authenticator = createSoftAuthenticator({ rpId: site.rp_id, origin });
  const device = await createSoftDevice();
  const approver = randomId();
  const { credential } = authenticator;
  agent.devices.set(approver, device.keys);

  const root = chainRootBytes({
    site,
    approver,
    subject: { credential, device: device.keys },
    brokerNonce: randomNonce(),
  });
  const link = {
    statement: toBase64url(root),
    assertion: await authenticator.assert(chainChallenge(root)),
    device_signature: await device.sign("credential", root),
  };
  const chain = { seq: 0, head: chainHead(root) };
  const parties = { site, agent, approver, authenticator, device, chain, logKey };
  const pairing = await makePairing(parties);
  const token = randomNonce();
  const pair: Pair = {
    ...parties,
    cookie: `__Host-session=${token}`,
    acceptance: pairing.acceptance,
  };
  const rows = {
    approver: { id: approver, name: "Ada" },
    credential: { id: credential.id, approver, jwk: credential.jwk, be: credential.be, counter: 0 },
    device: {
      kid: device.kid,
      approver,
      sig_jwk: device.keys.sig_jwk,
      enc_jwk: device.keys.enc_jwk,
    },
    chain_link: { approver, seq: 0, head: chain.head, link },
    session: {
      hash: sha256Text(utf8(token)),
      approver,
      credential_id: credential.id,
      device_kid: device.kid,
    },
    agent: { client_id: agent.clientId, jwk: agent.jwk, name: "bench", host: "bench" },
    pairing: {
      id: pairing.id,
      client_id: agent.clientId,
      approver,
      offer: pairing.offer,
      acceptance: pairing.acceptance,
    },
  };
  return { pair, rows };
}

async function makePairing(
  given: Omit<Pair, "cookie" | "acceptance">,
): Promise<{ id: string; offer: string; acceptance: PairingAcceptance }> {
  const { site, agent, approver, authenticator, device, chain, logKey } = given;
  const secret = randomBytes(32);
  const id = pairingId(secret);
  const now = Math.floor(Date.now() / 1000);
  const offer = {
    pairing_id: id,
    agent_jwk: agent.jwk,
    name: "bench",
    host: "bench",
    commit: nonceCommitment(randomBytes(32)),
    iss: agent.clientId,
    aud: site.issuer,
    iat: now,
    exp: now + 600,
  };
  const statement = pairingStatementBytes({
    site,
    offer,
    approver,
    credential: authenticator.credential,
    device: device.keys,
    chain,
    logKey,
    brokerNonce: randomNonce(),
    phoneNonce: randomNonce(),
  });
  const acceptance = {
    statement: toBase64url(statement),
    assertion: await authenticator.assert(pairingChallenge(statement)),
    device_signature: await device.sign("pair", statement),
    mac: pairingMac(secret, statement),
  };
  return { id, offer: await signPairingOffer(offer, agent.key), acceptance };
}

type Rows = Awaited<ReturnType<typeof makePair>>["rows"];

/** In the order of their foreign keys, each table in one statement. */
async function insertRows(sql: Sql, all: readonly Rows[]): Promise<void> {
  const of = (table: keyof Rows) => JSON.stringify(all.map((rows) => rows[table]));
  await sql`insert into approver (id, name) select id, name from jsonb_to_recordset(${of("approver")})
    as r(id text, name text)`;
  await sql`insert into credential (id, approver, jwk, be, counter) select id, approver, jwk, be, counter
    from jsonb_to_recordset(${of("credential")}) as r(id text, approver text, jwk jsonb, be boolean, counter bigint)`;
  await sql`insert into device (kid, approver, sig_jwk, enc_jwk) select kid, approver, sig_jwk, enc_jwk
    from jsonb_to_recordset(${of("device")}) as r(kid text, approver text, sig_jwk jsonb, enc_jwk jsonb)`;
  await sql`insert into chain_link (approver, seq, head, link) select approver, seq, head, link
    from jsonb_to_recordset(${of("chain_link")}) as r(approver text, seq int, head text, link jsonb)`;
  await sql`insert into session (hash, approver, credential_id, device_kid, expires_at)
    select hash, approver, credential_id, device_kid, now() + interval '1 day'
    from jsonb_to_recordset(${of("session")}) as r(hash text, approver text, credential_id text, device_kid text)`;
  await sql`insert into agent (client_id, jwk, name, host) select client_id, jwk, name, host
    from jsonb_to_recordset(${of("agent")}) as r(client_id text, jwk jsonb, name text, host text)`;
  await sql`insert into pairing (id, client_id, approver, offer, acceptance, state, expires_at, live_at)
    select id, client_id, approver, offer, acceptance, 'live', now() + interval '10 minutes', now()
    from jsonb_to_recordset(${of("pairing")})
      as r(id text, client_id text, approver text, offer text, acceptance jsonb)`;
}
