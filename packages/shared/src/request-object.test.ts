import { CompactSign } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { fromBase64url, randomId, randomNonce, toBase64url, utf8 } from "./bytes.js";
import { createAgentKey, flipByte, requestClaims } from "./fixture.js";
import { hash, thumbprint } from "./hash.js";
import { canonicalBytes } from "./json.js";
import { type JwsType, signJws } from "./jws.js";
import { type Outcome, signOutcome, verifyOutcome } from "./outcome.js";
import {
  type RequestObject,
  readRequestObject,
  signRequestObject,
  verifyRequestObject,
} from "./request-object.js";

let agent: Awaited<ReturnType<typeof createAgentKey>>;
let claims: RequestObject;
beforeAll(async () => {
  agent = await createAgentKey();
  claims = requestClaims(agent.kid, [randomId(), randomId()], randomNonce());
});

const signed = (members: object, type: JwsType = "oauth-authz-req+jwt", key = agent) =>
  signJws(canonicalBytes(members), type, key);
const verify = async (jws: string) => verifyRequestObject(jws, agent.jwk);

test("a request object is returned with its id and the hash of the octets that were signed", async () => {
  const jws = await signRequestObject(claims, agent);
  const request = await verify(jws);
  expect(request.claims).toEqual(claims);
  expect(request.rid).toBe(claims.jti);
  const payload = fromBase64url(jws.split(".")[1] ?? "");
  expect(request.arHash).toBe(hash("request", payload));
  expect(readRequestObject(jws)).toEqual(request);
});

test("the type of its details is the one that the protocol names", async () => {
  const { detail } = await verify(await signed(claims));
  expect(detail.type).toBe("urn:countersign:action:v1");
});

test.each<[string, () => object]>([
  ["ten minutes to live", () => ({ exp: claims.iat + 600 })],
  ["one second to live", () => ({ exp: claims.iat + 1 })],
  ["a start at its end", () => ({ nbf: claims.exp })],
  [
    "a quorum of all approvers",
    () => ({ authorization_details: [{ ...claims.authorization_details[0], quorum: 2 }] }),
  ],
])("a request object with %s is good to its last moment", async (_name, change) => {
  const sound = { ...claims, ...change() };
  expect((await verify(await signed(sound))).claims).toEqual(sound);
});

describe("the signature", () => {
  test("covers every member", async () => {
    const [header = "", , signature = ""] = (await signed(claims)).split(".");
    for (const member of Object.keys(claims)) {
      const value = claims[member as keyof RequestObject];
      const other = { ...claims, [member]: typeof value === "number" ? value + 1 : randomNonce() };
      const jws = `${header}.${toBase64url(canonicalBytes(other))}.${signature}`;
      await expect(verify(jws)).rejects.toMatchObject({ code: "invalid_binding" });
    }
  });

  test("covers every byte of the header and the payload, and every byte of itself", async () => {
    const parts = (await signed(claims)).split(".").map(fromBase64url);
    for (const [which, bytes] of parts.entries()) {
      for (let index = 0; index < bytes.length; index++) {
        const changed = parts.map((part, at) => (at === which ? flipByte(part, index) : part));
        await expect(verify(changed.map(toBase64url).join("."))).rejects.toThrow(
          expect.objectContaining({ name: "ProtocolError" }),
        );
      }
    }
  });

  test("is by the key whose thumbprint the claims name, and so does the header", async () => {
    const other = await createAgentKey();
    const jws = await signed(claims, "oauth-authz-req+jwt", other);
    await expect(verify(jws)).rejects.toMatchObject({ code: "invalid_binding" });
    await expect(verifyRequestObject(jws, other.jwk)).rejects.toMatchObject({
      code: "invalid_binding",
    });
    const misnamed = await signed(claims, "oauth-authz-req+jwt", { ...agent, kid: other.kid });
    await expect(verify(misnamed)).rejects.toMatchObject({ code: "invalid_binding" });
  });

  test("needs no name of its key in the header, and is by the key at hand then", async () => {
    const bytes = canonicalBytes(claims);
    const jws = await new CompactSign(bytes)
      .setProtectedHeader({ alg: "ES256", typ: "oauth-authz-req+jwt" })
      .sign(agent.privateKey);
    expect((await verify(jws)).claims).toEqual(claims);
    const foreign = await new CompactSign(bytes)
      .setProtectedHeader({ alg: "ES256", typ: "oauth-authz-req+jwt" })
      .sign((await createAgentKey()).privateKey);
    await expect(verify(foreign)).rejects.toMatchObject({ code: "invalid_binding" });
  });

  test("of a key that is none is nobody's", async () => {
    const offCurve = { ...agent.jwk, y: agent.jwk.x };
    const kid = thumbprint(offCurve);
    const named = await signed({ ...claims, iss: kid }, "oauth-authz-req+jwt", { ...agent, kid });
    await expect(verifyRequestObject(named, offCurve)).rejects.toMatchObject({
      code: "invalid_binding",
    });
  });

  test.each<[string, () => string]>([
    ["none", () => '{"alg":"none","typ":"oauth-authz-req+jwt"}'],
    ["HS256", () => '{"alg":"HS256","typ":"oauth-authz-req+jwt"}'],
    ["ES384", () => '{"alg":"ES384","typ":"oauth-authz-req+jwt"}'],
    ["es256 in lower case", () => '{"alg":"es256","typ":"oauth-authz-req+jwt"}'],
    ["no typ", () => '{"alg":"ES256"}'],
    ["JWT", () => '{"alg":"ES256","typ":"JWT"}'],
    ["crit", () => '{"alg":"ES256","typ":"oauth-authz-req+jwt","crit":["exp"],"exp":1}'],
    ["an empty crit", () => '{"alg":"ES256","typ":"oauth-authz-req+jwt","crit":[]}'],
  ])("with the header %s is refused before any key is used", async (_name, header) => {
    const [, payload, signature] = (await signed(claims)).split(".");
    const jws = [toBase64url(utf8(header())), payload, signature].join(".");
    await expect(verify(jws)).rejects.toMatchObject({ code: "unsupported_algorithm" });
    expect(() => readRequestObject(jws)).toThrow(
      expect.objectContaining({ code: "unsupported_algorithm" }),
    );
  });

  test("over a header with a duplicate is refused", async () => {
    const header = '{"alg":"none","alg":"ES256","typ":"oauth-authz-req+jwt"}';
    const [, payload, signature] = (await signed(claims)).split(".");
    const jws = [toBase64url(utf8(header)), payload, signature].join(".");
    await expect(verify(jws)).rejects.toMatchObject({ code: "invalid_json" });
  });

  test.each<JwsType>(["countersign-outcome+jwt", "countersign-pairing+jwt"])(
    "of the type %s is refused",
    async (type) => {
      await expect(verify(await signed(claims, type))).rejects.toMatchObject({
        code: "unsupported_algorithm",
      });
    },
  );

  test.each<[string, (jws: string) => string]>([
    ["a space", (jws) => `${jws} `],
    ["a line end", (jws) => `${jws}\n`],
    ["padding", (jws) => `${jws}==`],
    ["a space inside", (jws) => jws.replace(".", ". ")],
    ["a fourth part", (jws) => `${jws}.AAAA`],
    ["its signature twice", (jws) => `${jws}.${jws.split(".")[2]}`],
    ["no signature", (jws) => jws.slice(0, jws.lastIndexOf(".") + 1)],
    ["a signature in another spelling", (jws) => aliasOf(jws)],
    ["a longer signature", (jws) => `${jws}AA`],
  ])("with %s is refused", async (_name, change) => {
    await expect(verify(change(await signed(claims)))).rejects.toMatchObject({
      code: "invalid_encoding",
    });
  });

  /** 64 bytes end in a character of which four bits count: fifteen others decode alike. */
  function aliasOf(jws: string): string {
    const last = { A: "B", Q: "R", g: "h", w: "x" }[jws.slice(-1)];
    return `${jws.slice(0, -1)}${last}`;
  }
});

describe("claims are refused, though signed", () => {
  const detail = (change: object) => ({
    authorization_details: [{ ...claims.authorization_details[0], ...change }],
  });

  test.each<[string, () => object, string]>([
    ["an unknown member", () => ({ binding_message: "pay" }), "unknown_member"],
    ["an unknown member of the details", () => detail({ extra: 1 }), "unknown_member"],
    ["no details", () => ({ authorization_details: [] }), "unknown_member"],
    [
      "two details",
      () => ({
        authorization_details: [claims.authorization_details[0], claims.authorization_details[0]],
      }),
      "unknown_member",
    ],
    ["another type of details", () => detail({ type: "payment" }), "unknown_member"],
    ["an unknown tier", () => detail({ tier: "blue" }), "unknown_member"],
    ["no approvers", () => detail({ approvers: [] }), "unknown_member"],
    ["a quorum of none", () => detail({ quorum: 0 }), "unknown_member"],
    ["a quorum of half", () => detail({ quorum: 0.5 }), "unknown_member"],
    ["another scope", () => ({ scope: "openid email" }), "unknown_member"],
    ["an audience list", () => ({ aud: [claims.aud] }), "unknown_member"],
    ["a null", () => ({ nbf: null }), "unknown_member"],
    ["a short id", () => ({ jti: "AAAA" }), "unknown_member"],
    ["a quorum that cannot be reached", () => detail({ quorum: 3 }), "invalid_request"],
    [
      "an approver twice",
      () => detail({ approvers: [claims.login_hint, claims.login_hint] }),
      "invalid_request",
    ],
    ["another hint than the first approver", () => ({ login_hint: randomId() }), "invalid_request"],
    ["a life of more than ten minutes", () => ({ exp: claims.iat + 601 }), "invalid_request"],
    ["an end before the start", () => ({ exp: claims.iat }), "invalid_request"],
    ["a start after the end", () => ({ nbf: claims.exp + 1 }), "invalid_request"],
    ["another issuer", () => ({ iss: randomNonce() }), "invalid_binding"],
  ])("with %s", async (_name, change, code) => {
    await expect(verify(await signed({ ...claims, ...change() }))).rejects.toMatchObject({ code });
  });

  test("in other than canonical form", async () => {
    const { nbf, ...rest } = claims;
    const payload = utf8(JSON.stringify({ nbf, ...rest }));
    const jws = await new CompactSign(payload)
      .setProtectedHeader({ alg: "ES256", typ: "oauth-authz-req+jwt" })
      .sign(agent.privateKey);
    await expect(verify(jws)).rejects.toMatchObject({ code: "not_canonical" });
  });
});

describe("an outcome", () => {
  const outcome = (): Outcome => ({
    rid: claims.jti,
    ar_hash: randomNonce(),
    ctx: randomNonce(),
    n: 1,
    status: "succeeded",
    started_at: 1_800_000_000,
    ended_at: 1_800_000_001,
  });

  test("reads back under the agent's key and under no other", async () => {
    const reported = outcome();
    const jws = await signOutcome(reported, agent);
    expect(await verifyOutcome(jws, agent.jwk)).toEqual(reported);
    const other = await createAgentKey();
    await expect(verifyOutcome(jws, other.jwk)).rejects.toMatchObject({ code: "invalid_binding" });
  });

  test("is no request object, nor the other way round", async () => {
    await expect(verify(await signOutcome(outcome(), agent))).rejects.toMatchObject({
      code: "unsupported_algorithm",
    });
    await expect(verifyOutcome(await signed(claims), agent.jwk)).rejects.toMatchObject({
      code: "unsupported_algorithm",
    });
  });

  test.each([[{ n: 0 }], [{ status: "approved" }], [{ extra: 1 }], [{ code: null }]])(
    "with %j is refused",
    async (change) => {
      const jws = await signed({ ...outcome(), ...change }, "countersign-outcome+jwt");
      await expect(verifyOutcome(jws, agent.jwk)).rejects.toMatchObject({ code: "unknown_member" });
    },
  );
});
