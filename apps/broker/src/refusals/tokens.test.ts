import { generateKeyPairSync, sign } from "node:crypto";
import {
  concat,
  randomBytes,
  randomId,
  sha256Text,
  thumbprint,
  toBase64url,
  utf8,
} from "@countersign/shared";
import {
  clientAssertionType,
  createSoftAgent,
  type SoftAgent,
} from "@countersign/test-kit/soft-agent";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attackedWorld, handmadeJws, jwtBy, refusalOf, type World } from "../testing/attack.js";

let world: World;
let agent: SoftAgent;
/** Has a key and no pairing. */
let stranger: SoftAgent;
let origin: string;

beforeAll(async () => {
  world = await attackedWorld();
  agent = world.agent;
  origin = world.broker.site.origin;
  stranger = await createSoftAgent({ origin });
});
afterAll(() => world.close());

const now = (): number => Math.floor(Date.now() / 1000);
const bytesOf = (value: unknown) => utf8(JSON.stringify(value));

async function token(assertion: string, proof?: string, form: Record<string, string> = {}) {
  return fetch(`${origin}/token`, {
    method: "POST",
    headers: proof === undefined ? {} : { dpop: proof },
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_assertion_type: clientAssertionType,
      client_assertion: assertion,
      ...form,
    }),
  });
}

const claimsOf = (claims: Record<string, unknown> = {}) => ({
  iss: agent.clientId,
  sub: agent.clientId,
  aud: origin,
  exp: now() + 60,
  ...claims,
});
const assertionOf = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
  jwtBy(agent.key.privateKey, { kid: agent.clientId, ...header }, claimsOf(claims));
const refusedAssertion = async (assertion: string, form: Record<string, string> = {}) =>
  refusalOf(token(assertion, await agent.dpop("POST", "/token"), form));

describe("a client assertion", () => {
  it("is taken when it is honest", async () => {
    expect((await token(await assertionOf(), await agent.dpop("POST", "/token"))).status).toBe(200);
  });

  it.each<[string, () => Record<string, unknown>, string]>([
    [
      "for the token endpoint instead of the issuer",
      () => ({ aud: `${origin}/token` }),
      "invalid_client",
    ],
    ["for another issuer", () => ({ aud: "https://evil.example" }), "invalid_client"],
    ["for two audiences", () => ({ aud: [origin, "https://evil.example"] }), "invalid_client"],
    ["for no audience", () => ({ aud: [] }), "invalid_client"],
    ["for the issuer with a slash", () => ({ aud: `${origin}/` }), "invalid_client"],
    ["expired", () => ({ exp: now() - 1 }), "invalid_client"],
    ["good for too long", () => ({ exp: now() + 3600 }), "invalid_client"],
    ["without an end", () => ({ exp: undefined }), "invalid_client"],
    ["with a text for its end", () => ({ exp: String(now() + 60) }), "invalid_client"],
    ["without an id", () => ({ jti: undefined }), "invalid_client"],
    ["with a guessable id", () => ({ jti: "1" }), "invalid_client"],
    ["by one in the name of another", () => ({ sub: stranger.clientId }), "invalid_client"],
    ["issued by another", () => ({ iss: stranger.clientId }), "invalid_client"],
    [
      "of an agent that nobody paired with",
      () => ({ iss: stranger.clientId, sub: stranger.clientId }),
      "invalid_client",
    ],
    [
      "of a client whose name no text column holds",
      () => ({ iss: "\u0000", sub: "\u0000" }),
      "invalid_client",
    ],
    ["issued 61 s ago", () => ({ iat: now() - 62 }), "clock_skew"],
    ["issued 61 s ahead", () => ({ iat: now() + 63 }), "clock_skew"],
  ])("is refused when it is %s", async (_, claims, code) => {
    expect(await refusedAssertion(await assertionOf(claims()))).toBe(code);
  });

  it("is refused in a header that claims to be another kind of object", async () => {
    const types = [
      "oauth-authz-req+jwt",
      "countersign-outcome+jwt",
      "countersign-pairing+jwt",
      "dpop+jwt",
      "at+jwt",
    ];
    for (const typ of types) {
      expect(await refusedAssertion(await assertionOf({}, { typ })), typ).toBe("invalid_client");
    }
  });

  it("is refused a second time", async () => {
    const assertion = await assertionOf();
    expect((await token(assertion, await agent.dpop("POST", "/token"))).status).toBe(200);
    expect(await refusedAssertion(assertion)).toBe("invalid_client");
    const [header, payload] = assertion.split(".");
    expect(await refusedAssertion(`${header}.${payload}.${toBase64url(randomBytes(64))}`)).toBe(
      "invalid_client",
    );
  });

  it("is refused a second time at the other endpoint, and signed anew with the same id", async () => {
    const jti = randomId();
    expect(
      (await token(await assertionOf({ jti }), await agent.dpop("POST", "/token"))).status,
    ).toBe(200);
    expect(await refusedAssertion(await assertionOf({ jti }))).toBe("invalid_client");
    const client_assertion = await assertionOf({ jti });
    const { jws } = await agent.prepare();
    const answer = agent.form("/bc-authorize", { request: jws, client_assertion });
    expect(await refusalOf(answer)).toBe("invalid_client");
  });

  it("counts once when it is sent ten times at once", async () => {
    const assertion = await assertionOf();
    const proofs = await Promise.all(
      Array.from({ length: 10 }, () => agent.dpop("POST", "/token")),
    );
    const answers = await Promise.all(proofs.map((proof) => token(assertion, proof)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it("is refused by another key", async () => {
    const assertion = await jwtBy(stranger.key.privateKey, { kid: agent.clientId }, claimsOf());
    expect(await refusedAssertion(assertion)).toBe("invalid_client");
  });

  it("is refused with an algorithm outside the list", async () => {
    const payload = bytesOf(claimsOf({ jti: randomId(), iat: now() }));
    for (const alg of [
      "none",
      "None",
      "HS256",
      "HS512",
      "RS256",
      "PS256",
      "ES384",
      "ES512",
      "EdDSA",
      "es256",
    ]) {
      const assertion = handmadeJws(JSON.stringify({ alg }), payload);
      expect(await refusedAssertion(assertion), alg).toBe("invalid_client");
    }
    expect(await refusedAssertion(hmacJwt(payload))).toBe("invalid_client");
    expect(await refusedAssertion(es384Jwt(payload))).toBe("invalid_client");
    const unsigned = `${toBase64url(bytesOf({ alg: "none" }))}.${toBase64url(payload)}.`;
    expect(await refusedAssertion(unsigned)).toBe("invalid_client");
  });

  it("is refused with critical extensions, duplicates, white space, padding or another spelling", async () => {
    const honest = await assertionOf();
    const [header = "", payload = "", signature = ""] = honest.split(".");
    const crit = await assertionOf({}, { crit: ["b64"], b64: true });
    const spellings = [crit, ` ${honest}`, `${honest}\n`, `${header}=.${payload}.${signature}`];
    spellings.push(
      `${header}.${payload}.${signature}.`,
      `${header}.${payload}`,
      `${header}..${signature}`,
      "",
      "...",
    );
    spellings.push(`${honest.slice(0, -1)}${aliasOf(honest.at(-1) ?? "")}`);
    spellings.push(handmadeJws('{"alg":"none","alg":"ES256"}', bytesOf(claimsOf())));
    for (const assertion of spellings) {
      expect(await refusedAssertion(assertion), assertion).toBe("invalid_client");
    }
    expect((await token(honest, await agent.dpop("POST", "/token"))).status).toBe(200);
  });

  it("is refused beside the name of another client, another type, or twice in a form", async () => {
    const client_id = stranger.clientId;
    expect(await refusedAssertion(await assertionOf(), { client_id })).toBe("invalid_client");
    const saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
    expect(await refusedAssertion(await assertionOf(), { client_assertion_type: saml })).toBe(
      "invalid_client",
    );
    const body = `grant_type=client_credentials&client_assertion_type=${clientAssertionType}&client_assertion=${await assertionOf()}&client_assertion=${await assertionOf()}`;
    const headers = {
      "content-type": "application/x-www-form-urlencoded",
      dpop: await agent.dpop("POST", "/token"),
    };
    expect(await refusalOf(fetch(`${origin}/token`, { method: "POST", headers, body }))).toBe(
      "invalid_request",
    );
  });

  it("is not replaced by a secret", async () => {
    const body = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: agent.clientId,
      client_secret: "x",
    });
    const basic = {
      authorization: `Basic ${btoa(`${agent.clientId}:x`)}`,
      dpop: await agent.dpop("POST", "/token"),
    };
    expect(await refusalOf(fetch(`${origin}/token`, { method: "POST", body }))).toBe(
      "invalid_client",
    );
    expect(
      await refusalOf(fetch(`${origin}/token`, { method: "POST", headers: basic, body })),
    ).toBe("invalid_client");
  });
});

/** Signed with the public key as the secret, the oldest trick of JWT. */
function hmacJwt(payload: Uint8Array): string {
  const header = JSON.stringify({ alg: "HS256", jwk: agent.jwk });
  return `${toBase64url(utf8(header))}.${toBase64url(payload)}.${toBase64url(randomBytes(32))}`;
}

function es384Jwt(payload: Uint8Array): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const signed = `${toBase64url(bytesOf({ alg: "ES384" }))}.${toBase64url(payload)}`;
  const signature = sign("sha384", utf8(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${signed}.${toBase64url(signature)}`;
}

/** 64 bytes leave four unused bits in the last character: another character, the same bytes. */
const aliasOf = (last: string): string => ({ A: "B", Q: "R", g: "h", w: "x" })[last] ?? "!";

interface Proof {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  key?: CryptoKey;
}

const proofOf = (method: string, path: string, { claims = {}, header = {}, key }: Proof = {}) =>
  jwtBy(
    key ?? agent.key.privateKey,
    { typ: "dpop+jwt", jwk: agent.jwk, ...header },
    { htm: method, htu: `${origin}${path}`, ...claims },
  );

describe("a DPoP proof", () => {
  const refusedProof = async (proof: string | undefined) =>
    refusalOf(token(await assertionOf(), proof));

  it("is demanded", async () => {
    expect(await refusedProof(undefined)).toBe("invalid_dpop_proof");
    expect(await refusedProof("")).toBe("invalid_dpop_proof");
  });

  it.each<[string, () => Proof, string]>([
    ["another method", () => ({ claims: { htm: "GET" } }), "invalid_dpop_proof"],
    ["the method in small letters", () => ({ claims: { htm: "post" } }), "invalid_dpop_proof"],
    ["another path", () => ({ claims: { htu: `${origin}/bc-authorize` } }), "invalid_dpop_proof"],
    [
      "another host",
      () => ({ claims: { htu: "https://evil.example/token" } }),
      "invalid_dpop_proof",
    ],
    ["a path only", () => ({ claims: { htu: "/token" } }), "invalid_dpop_proof"],
    ["no path", () => ({ claims: { htu: origin } }), "invalid_dpop_proof"],
    ["no method", () => ({ claims: { htm: undefined } }), "invalid_dpop_proof"],
    ["no id", () => ({ claims: { jti: undefined } }), "invalid_dpop_proof"],
    ["a time 61 s ago", () => ({ claims: { iat: now() - 62 } }), "clock_skew"],
    ["a time 61 s ahead", () => ({ claims: { iat: now() + 63 } }), "clock_skew"],
    ["no time", () => ({ claims: { iat: "now" } }), "invalid_dpop_proof"],
    ["another type", () => ({ header: { typ: "JWT" } }), "invalid_dpop_proof"],
    [
      "the type of a request object",
      () => ({ header: { typ: "oauth-authz-req+jwt" } }),
      "invalid_dpop_proof",
    ],
    ["no key", () => ({ header: { jwk: undefined } }), "invalid_dpop_proof"],
    [
      "another key than the one that signed",
      () => ({ header: { jwk: stranger.jwk } }),
      "invalid_dpop_proof",
    ],
    [
      "a private key",
      () => ({ header: { jwk: { ...agent.jwk, d: agent.jwk.x } } }),
      "invalid_dpop_proof",
    ],
    [
      "a point off the curve",
      () => ({ header: { jwk: { ...agent.jwk, y: agent.jwk.x } } }),
      "invalid_dpop_proof",
    ],
    [
      "a symmetric key",
      () => ({ header: { jwk: { kty: "oct", k: "AAAA" } } }),
      "invalid_dpop_proof",
    ],
    [
      "a critical extension",
      () => ({ header: { crit: ["b64"], b64: true } }),
      "invalid_dpop_proof",
    ],
  ])("is refused with %s", async (_, bend, code) => {
    expect(await refusedProof(await proofOf("POST", "/token", bend()))).toBe(code);
  });

  it("is refused by another key than the client's", async () => {
    expect(await refusedProof(await stranger.dpop("POST", "/token"))).toBe("invalid_dpop_proof");
  });

  it("is refused a second time, and beside another one", async () => {
    const proof = await agent.dpop("POST", "/token");
    expect((await token(await assertionOf(), proof)).status).toBe(200);
    expect(await refusedProof(proof)).toMatch(/^invalid_(client|dpop_proof)$/);
    const two = `${await agent.dpop("POST", "/token")}, ${await agent.dpop("POST", "/token")}`;
    expect(await refusedProof(two)).toBe("invalid_dpop_proof");
  });

  it("that was used spends a fresh assertion beside it, and one that was used spends a fresh proof", async () => {
    const [assertion, proof] = [await assertionOf(), await agent.dpop("POST", "/token")];
    expect((await token(assertion, proof)).status).toBe(200);
    const [freshAssertion, freshProof] = [await assertionOf(), await agent.dpop("POST", "/token")];
    expect(await refusalOf(token(freshAssertion, proof))).toBe("invalid_client");
    expect(await refusalOf(token(assertion, freshProof))).toBe("invalid_client");
    expect(await refusalOf(token(freshAssertion, freshProof))).toBe("invalid_client");
  });

  it("and an assertion may have one id: they are of two kinds", async () => {
    const jti = randomId();
    const proof = await proofOf("POST", "/token", { claims: { jti } });
    expect((await token(await assertionOf({ jti }), proof)).status).toBe(200);
  });

  it("of a pairing call is refused a second time, for another pairing and by its query", async () => {
    const path = `/v1/pairings/${sha256Text(utf8("none"))}`;
    const get = (proof: string, at = path) =>
      refusalOf(fetch(`${origin}${at}`, { headers: { dpop: proof } }));
    const proof = await agent.dpop("GET", path);
    expect(await get(proof)).toBe("not_found");
    expect(await get(proof)).toBe("invalid_dpop_proof");
    expect(await get(await agent.dpop("GET", `${path}A`))).toBe("invalid_dpop_proof");
    const withQuery = await proofOf("GET", path, { claims: { htu: `${origin}${path}?x=1` } });
    expect(await get(withQuery)).toBe("not_found");
  });
});

describe("an access token", () => {
  const path = "/v1/requests/AAAAAAAAAAAAAAAAAAAAAA";
  const issued = async (): Promise<string> => {
    const answer = await token(await assertionOf(), await agent.dpop("POST", "/token"));
    return ((await answer.json()) as { access_token: string }).access_token;
  };
  const call = async (given: string, bend: Proof = {}, scheme = "DPoP") => {
    const dpop = await proofOf("GET", path, {
      ...bend,
      claims: { ath: sha256Text(utf8(given)), ...bend.claims },
    });
    return refusalOf(
      fetch(`${origin}${path}`, { headers: { authorization: `${scheme} ${given}`, dpop } }),
    );
  };

  it("opens what it is for", async () => {
    expect(await call(await issued())).toBe("not_found");
  });

  it("is demanded, with its own scheme and its own proof", async () => {
    const given = await issued();
    expect(await refusalOf(fetch(`${origin}${path}`))).toBe("invalid_token");
    expect(await call(given, {}, "Bearer")).toBe("invalid_token");
    expect(await call("")).toBe("invalid_token");
    const authorization = `DPoP ${given}`;
    expect(await refusalOf(fetch(`${origin}${path}`, { headers: { authorization } }))).toBe(
      "invalid_dpop_proof",
    );
  });

  it("is refused with a proof of another token, of no token, or by another key", async () => {
    const given = await issued();
    expect(await call(given, { claims: { ath: sha256Text(utf8("another")) } })).toBe(
      "invalid_dpop_proof",
    );
    expect(await call(given, { claims: { ath: undefined } })).toBe("invalid_dpop_proof");
    const stolen = { key: stranger.key.privateKey, header: { jwk: stranger.jwk } };
    expect(await call(given, stolen)).toBe("invalid_dpop_proof");
  });

  it("of an approval opens nothing", async () => {
    const { rid } = await agent.request();
    await world.phone.approve(rid);
    const { body } = await agent.poll(rid);
    expect(body).toMatchObject({ scope: "approval" });
    expect(await call(String(body["access_token"]))).toBe("invalid_token");
    expect(await call(String(body["id_token"]))).toBe("invalid_token");
  });

  it("is refused when another key signed it, or its claims were changed", async () => {
    const given = await issued();
    const [header = "", payload = "", signature = ""] = given.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    const kid = thumbprint(stranger.jwk);
    const forged = await jwtBy(stranger.key.privateKey, { typ: "at+jwt", kid }, claims);
    const own = await jwtBy(agent.key.privateKey, { typ: "at+jwt", kid: agent.clientId }, claims);
    const bent = toBase64url(
      bytesOf({ ...claims, client_id: stranger.clientId, cnf: { jkt: stranger.clientId } }),
    );
    for (const bad of [
      forged,
      own,
      `${header}.${bent}.${signature}`,
      `${header}.${payload}.`,
      "x",
    ]) {
      expect(await call(bad), bad).toBe("invalid_token");
    }
  });

  it("is refused when it is over", async () => {
    const [row] = await world.sql`select value from setting where name = 'signing_key'`;
    const key = await crypto.subtle.importKey(
      "jwk",
      row?.["value"],
      { name: "ECDSA", namedCurve: "P-256" },
      false,
      ["sign"],
    );
    const { kty, crv, x, y } = row?.["value"] ?? {};
    const kid = thumbprint({ kty, crv, x, y });
    const claims = (more: Record<string, unknown>) => ({
      iss: origin,
      aud: origin,
      client_id: agent.clientId,
      scope: "client",
      cnf: { jkt: agent.clientId },
      exp: now() + 60,
      ...more,
    });
    const made = (more: Record<string, unknown>, typ = "at+jwt") =>
      jwtBy(key, { typ, kid }, claims(more));
    expect(await call(await made({}))).toBe("not_found");
    expect(await call(await made({ exp: now() - 1 }))).toBe("invalid_token");
    expect(await call(await made({ aud: "https://evil.example" }))).toBe("invalid_token");
    expect(await call(await made({ iss: "https://evil.example" }))).toBe("invalid_token");
    expect(await call(await made({ cnf: { jkt: stranger.clientId } }))).toBe("invalid_token");
    expect(await call(await made({}, "JWT"))).toBe("invalid_token");
  });

  it("ends with the agent's last pairing", async () => {
    const other = await createSoftAgent({ origin });
    const pairing = await other.pairWith(world.phone);
    expect((await other.call("GET", path)).status).toBe(404);
    expect((await other.call("DELETE", `/v1/pairings/${pairing}`)).status).toBe(204);
    expect(await refusalOf(other.call("GET", path))).toBe("invalid_client");
    const client_assertion = await other.clientAssertion();
    const { jws } = await other.prepare({ approvers: [world.phone.approver()] });
    expect(await refusalOf(other.form("/bc-authorize", { request: jws, client_assertion }))).toBe(
      "invalid_client",
    );
  });
});

describe("a key", () => {
  it("authenticates nobody between two pairings, and what it signed before them once at most", async () => {
    const other = await createSoftAgent({ origin });
    const pairing = await other.pairWith(world.phone);
    const [used, fresh] = [await other.clientAssertion(), await other.clientAssertion()];
    const ask = (client_assertion: string) =>
      other.form("/token", { grant_type: "client_credentials", client_assertion });
    expect((await ask(used)).status).toBe(200);
    await other.call("DELETE", `/v1/pairings/${pairing}`);
    for (const assertion of [used, fresh, await other.clientAssertion()]) {
      expect(await refusalOf(ask(assertion))).toBe("invalid_client");
    }
    await other.pairWith(world.phone);
    expect(await refusalOf(ask(used))).toBe("invalid_client");
    expect((await ask(fresh)).status).toBe(200);
    expect(await refusalOf(ask(fresh))).toBe("invalid_client");
  });

  it("that is no P-256 key is nobody's", async () => {
    const { publicKey, privateKey } = await crypto.subtle.generateKey(
      { name: "ECDSA", namedCurve: "P-384" },
      true,
      ["sign", "verify"],
    );
    const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
    const jwk = { kty, crv, x, y };
    const signed = concat(bytesOf({ alg: "ES256", typ: "dpop+jwt", jwk }));
    const signature = await crypto.subtle.sign(
      { name: "ECDSA", hash: "SHA-256" },
      privateKey,
      signed,
    );
    const proof = `${toBase64url(signed)}.${toBase64url(bytesOf({ htm: "POST" }))}.${toBase64url(new Uint8Array(signature).slice(0, 64))}`;
    expect(await refusalOf(token(await assertionOf(), proof))).toBe("invalid_dpop_proof");
  });
});
