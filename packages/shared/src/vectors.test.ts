import { createHash, createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import hashes from "../vectors/hash.json" with { type: "json" };
import jcs from "../vectors/jcs.json" with { type: "json" };
import pairing from "../vectors/pairing.json" with { type: "json" };
import request from "../vectors/request.json" with { type: "json" };
import site from "../vectors/site.json" with { type: "json" };
import thumbprints from "../vectors/thumbprint.json" with { type: "json" };
import views from "../vectors/view.json" with { type: "json" };
import { fromBase64url, fromUtf8, toBase64url, utf8 } from "./bytes.js";
import { siteStatementBytes } from "./ceremony.js";
import { chainHead, chainRootBytes } from "./chain.js";
import { hash, type Purpose, pre, thumbprint } from "./hash.js";
import { canonicalBytes, parseCanonical } from "./json.js";
import { leafEntry, leafRecord } from "./leaf.js";
import { contextHash, parseManifest } from "./manifest.js";
import { matchCode } from "./match-code.js";
import {
  compareDigits,
  nonceCommitment,
  pairingId,
  pairingMac,
  pairingOffer,
  pairingStatementBytes,
  parsePairingLink,
  parsePairingStatement,
} from "./pairing.js";
import { readRequestObject } from "./request-object.js";
import { ecPublicJwk, parse } from "./schema.js";
import { denialBytes, parseDenial, parseStatement, statementBytes } from "./statement.js";
import { render, viewHash } from "./view/render.js";

// A second implementation, from protocol.md and Node alone: what it shares with the first are the vectors.
const sha256 = (...parts: (string | Buffer)[]): Buffer =>
  parts.reduce((hashing, part) => hashing.update(part), createHash("sha256")).digest();
const purposeHash = (purpose: string, ...parts: (string | Buffer)[]): Buffer =>
  sha256(`countersign/${purpose}/v1\0`, ...parts);
const text = (bytes: Buffer): string => bytes.toString("base64url");
const octets = (base64url: string): Buffer => Buffer.from(base64url, "base64url");
function jcsOf(value: unknown): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(jcsOf).join(",")}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([member, inner]) => `${JSON.stringify(member)}:${jcsOf(inner)}`).join(",")}}`;
}

test.each(jcs)("JCS: $canonical", ({ value, canonical }) => {
  expect(jcsOf(value)).toBe(canonical);
  expect(fromUtf8(canonicalBytes(value))).toBe(canonical);
  expect(parseCanonical(utf8(canonical))).toEqual(value);
});

test.each(hashes)("H: $purpose", ({ purpose, bytes_hex, pre_hex, hash: known }) => {
  const bytes = Buffer.from(bytes_hex, "hex");
  const before = Buffer.concat([Buffer.from(`countersign/${purpose}/v1`), Buffer.alloc(1), bytes]);
  expect(before.toString("hex")).toBe(pre_hex);
  expect(text(sha256(before))).toBe(known);
  expect(Buffer.from(pre(purpose as Purpose, bytes)).toString("hex")).toBe(pre_hex);
  expect(hash(purpose as Purpose, bytes)).toBe(known);
});

test.each(thumbprints)("thumbprint: $thumbprint", ({ jwk, thumbprint: known }) => {
  expect(text(sha256(jcsOf(jwk)))).toBe(known);
  expect(thumbprint(parse(ecPublicJwk, jwk))).toBe(known);
});

describe("a request", () => {
  const manifest = parseManifest(utf8(request.manifest));
  const header = toBase64url(utf8('{"alg":"ES256","typ":"oauth-authz-req+jwt"}'));
  const payload = toBase64url(utf8(request.request_object_payload));
  const asked = readRequestObject(`${header}.${payload}.${"A".repeat(86)}`);

  test("ctx and ar_hash", () => {
    expect(text(purposeHash("context", request.manifest))).toBe(request.ctx);
    expect(contextHash(utf8(request.manifest))).toBe(request.ctx);
    expect(asked.detail.ctx).toBe(request.ctx);
    expect(text(purposeHash("request", request.request_object_payload))).toBe(request.ar_hash);
    expect(asked.arHash).toBe(request.ar_hash);
  });

  test("view and view_hash", () => {
    expect(render(manifest, asked)).toEqual(request.view);
    const known = purposeHash("view", octets(manifest.salt), jcsOf(request.view));
    expect(text(known)).toBe(request.view_hash);
    expect(viewHash(render(manifest, asked), manifest.salt)).toBe(request.view_hash);
  });

  test.each(views)("rows of $action.tool", ({ action, rows }) => {
    const shown = parseManifest(canonicalBytes({ ...manifest, action }));
    expect(render(shown, asked)).toEqual(rows);
  });

  test("match code", () => {
    const { ar_hash, req_nonce, match_code } = request;
    const salt = manifest.match_salt;
    const digest = purposeHash("match", octets(ar_hash), octets(req_nonce), octets(salt));
    let bits = BigInt(`0x${digest.toString("hex")}`) >> 226n;
    let known = "";
    for (let count = 0; count < 6; count++, bits >>= 5n) {
      known = `${"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[Number(bits & 31n)]}${known}`;
    }
    expect(`${known.slice(0, 3)}-${known.slice(3)}`).toBe(match_code);
    const shown = matchCode({ arHash: ar_hash, reqNonce: req_nonce, matchSalt: salt });
    expect(shown).toBe(match_code);
  });

  test("statement, denial and their hashes", () => {
    const statement = parseStatement(utf8(request.statement));
    expect(jcsOf(statement)).toBe(request.statement);
    expect(statement).toMatchObject({
      ar_hash: request.ar_hash,
      ctx: request.ctx,
      view_hash: request.view_hash,
      req_nonce: request.req_nonce,
      exec_by: asked.claims.exp,
    });
    expect(text(purposeHash("approve", request.statement))).toBe(request.approve_challenge);
    expect(hash("approve", utf8(request.statement))).toBe(request.approve_challenge);
    expect(jcsOf(parseDenial(utf8(request.denial)))).toBe(request.denial);
    expect(text(purposeHash("deny", request.denial))).toBe(request.deny_hash);
    expect(hash("deny", utf8(request.denial))).toBe(request.deny_hash);
  });

  test("statement and denial are put together as written", () => {
    const statement = parseStatement(utf8(request.statement));
    const { issuer, rp_id, origin, cid, approver } = statement;
    const context = {
      site: { issuer, rp_id, origin },
      request: asked,
      viewHash: request.view_hash,
      reqNonce: request.req_nonce,
    };
    const ceremony = {
      cid,
      brokerNonce: statement.broker_nonce,
      approver,
      deviceKid: statement.device_kid,
      checkpoint: statement.checkpoint,
    };
    expect(fromUtf8(statementBytes(context, ceremony))).toBe(request.statement);
    const denial = parseDenial(utf8(request.denial));
    const again = denialBytes({
      issuer,
      approver,
      rid: asked.rid,
      agentJkt: asked.claims.iss,
      deviceKid: statement.device_kid,
      reason: denial.reason,
    });
    expect(fromUtf8(again)).toBe(request.denial);
  });

  test("leaf entries", () => {
    expect(request.leaves[0]?.record.digest).toBe(request.approve_challenge);
    for (const { record, leaf_entry } of request.leaves) {
      expect(text(purposeHash("leaf", jcsOf(record)))).toBe(leaf_entry);
      expect(leafEntry(parse(leafRecord, record))).toBe(leaf_entry);
    }
  });
});

describe("a pairing", () => {
  const secret = octets(pairing.secret);
  const nonce = octets(pairing.nonce);

  test("id, commitment and link", () => {
    expect(text(purposeHash("pairing", secret))).toBe(pairing.pairing_id);
    expect(pairingId(secret)).toBe(pairing.pairing_id);
    expect(text(purposeHash("commit", nonce))).toBe(pairing.commit);
    expect(nonceCommitment(nonce)).toBe(pairing.commit);
    const offered = JSON.parse(pairing.offer_payload);
    const link = parsePairingLink(pairing.link, offered.aud);
    expect(link.pairingId).toBe(pairing.pairing_id);
    expect(link.agentJkt).toBe(text(sha256(jcsOf(offered.agent_jwk))));
    expect(link.secret).toEqual(fromBase64url(pairing.secret));
  });

  test("chain root and statement are put together as written", () => {
    const statement = parsePairingStatement(utf8(pairing.statement));
    const { issuer, rp_id, origin, approver, credential, device, chain } = statement;
    const parts = {
      site: { issuer, rp_id, origin },
      approver,
      brokerNonce: statement.broker_nonce,
    };
    const root = chainRootBytes({ ...parts, subject: { credential, device } });
    expect(fromUtf8(root)).toBe(pairing.chain_root);
    const offer = parse(pairingOffer, JSON.parse(pairing.offer_payload));
    const { phone_nonce: phoneNonce, log_key: logKey } = statement;
    const again = pairingStatementBytes({
      ...{ ...parts, offer, credential, device, chain, phoneNonce, logKey },
    });
    expect(fromUtf8(again)).toBe(pairing.statement);
  });

  test("chain head, challenge, mac and digits", () => {
    const statement = utf8(pairing.statement);
    expect(text(purposeHash("credential", pairing.chain_root))).toBe(pairing.chain_head);
    expect(chainHead(utf8(pairing.chain_root))).toBe(pairing.chain_head);
    expect(parsePairingStatement(statement).chain.head).toBe(pairing.chain_head);
    expect(text(purposeHash("pair", pairing.statement))).toBe(pairing.pair_challenge);
    expect(hash("pair", statement)).toBe(pairing.pair_challenge);
    const mac = createHmac("sha256", secret).update(pairing.statement).digest("base64url");
    expect(mac).toBe(pairing.mac);
    expect(pairingMac(secret, statement)).toBe(pairing.mac);
    const number = BigInt(`0x${purposeHash("compare", pairing.statement, nonce).toString("hex")}`);
    expect(String((number >> 192n) % 1_000_000n).padStart(6, "0")).toBe(pairing.digits);
    expect(compareDigits(statement, nonce)).toBe(pairing.digits);
  });
});

test("signing in and registering", () => {
  const { issuer, rp_id, origin, broker_nonce } = JSON.parse(site.statement);
  const again = siteStatementBytes({ issuer, rp_id, origin }, broker_nonce);
  expect(fromUtf8(again)).toBe(site.statement);
  expect(text(purposeHash("login", site.statement))).toBe(site.login_challenge);
  expect(text(purposeHash("register", site.statement))).toBe(site.register_challenge);
});
