// Writes vectors/*.json: known answers of the protocol from fixed inputs, for an implementation in any language.
// Run with `npx tsx packages/shared/scripts/generate-vectors.mjs`; the tests recompute every answer on their own.
import { writeFileSync } from "node:fs";
import {
  appendEntries,
  canonicalBytes,
  chainHead,
  chainRootBytes,
  compareDigits,
  concat,
  consistencyProof,
  contextHash,
  denialBytes,
  edgeRoot,
  emptyEdge,
  encodeEntries,
  fromBase64url,
  fromUtf8,
  hash,
  inclusionProof,
  leafEntry,
  leafHash,
  logProofText,
  matchCode,
  nonceCommitment,
  pairingId,
  pairingLink,
  pairingMac,
  pairingStatementBytes,
  parseManifest,
  pre,
  readRequestObject,
  render,
  signCheckpoint,
  siteStatementBytes,
  statementBytes,
  thumbprint,
  tileHashReader,
  tilePath,
  toBase64url,
  utf8,
  viewHash,
  vkeyText,
} from "../src/index.ts";
import { shownActions } from "./shown-actions.mjs";

/** Octets that look like nothing else: 32 times the same byte, as base64url. */
const octets = (byte, length = 32) => toBase64url(new Uint8Array(length).fill(byte));
const bytesOf = (hexText) =>
  new Uint8Array(hexText.match(/../g).map((pair) => Number.parseInt(pair, 16)));
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

const site = {
  issuer: "https://countersign.example",
  rp_id: "countersign.example",
  origin: "https://countersign.example",
};
// RFC 7515, appendix A.3; the device's encryption key is RFC 7517's, appendix A.1.
const agentJwk = {
  kty: "EC",
  crv: "P-256",
  x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
  y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
};
const deviceJwk = {
  kty: "EC",
  crv: "P-256",
  x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
  y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
};
const agentJkt = thumbprint(agentJwk);
const deviceKid = thumbprint(deviceJwk);
const approver = octets(0x0a, 16);
const rid = octets(0x1d, 16);
const brokerNonce = octets(0xb0);
const credential = { id: octets(0xc0, 16), jwk: agentJwk, be: true };
const device = { sig_jwk: deviceJwk, enc_jwk: deviceJwk };

const files = {};

files.jcs = [
  { b: 2, a: 1 },
  {
    "\u20ac": "Euro",
    "\r": "CR",
    1: "One",
    "\u0080": "Control",
    "\u{1f600}": "Smiley",
    "\ufb33": "Dalet",
  },
  [1e21, 1e-7, 0.1, 333333333.3333333, 4.5, 0, -1, 9007199254740991],
  ['\u0000\u0008\u000b\u001f"\\/\u007f\u2028', "é😀"],
  [{}, [], "", null, true, false],
].map((value) => ({ value, canonical: fromUtf8(canonicalBytes(value)) }));

const purposes = [
  "context",
  "request",
  "view",
  "result",
  "match",
  "approve",
  "deny",
  "freeze",
  "login",
  "register",
  "pairing",
  "commit",
  "pair",
  "compare",
  "link",
  "credential",
  "device",
  "leaf",
  "practice",
];
files.hash = purposes.map((purpose) => ({
  purpose,
  bytes_hex: hex(utf8("countersign")),
  pre_hex: hex(pre(purpose, utf8("countersign"))),
  hash: hash(purpose, utf8("countersign")),
}));

files.thumbprint = [agentJwk, deviceJwk].map((jwk) => ({ jwk, thumbprint: thumbprint(jwk) }));

const salt = octets(0x5a);
const matchSalt = octets(0x3a);
const manifest = {
  v: 1,
  salt,
  match_salt: matchSalt,
  action: {
    v: 1,
    tool: "email.send",
    args: {
      to: "bo\u200bard@example.org",
      "subject line": "Q3  report\nfinal",
      copies: 2,
      ratio: 0.1,
      urgent: true,
      attachments: [],
      bcc: null,
      nested: { "": "", z: [1, "1"] },
    },
    target: {
      window: "Inbox",
      url: "https://mail.example/",
      rectangle: { x: 1, y: 2, width: 3, height: 4 },
    },
    cwd: "/home/ada",
    env: { LANG: "C" },
    preconditions: [{ kind: "file", subject: "report.pdf", sha256: octets(0x0f) }],
    undo: { tool: "email.recall" },
    reversible: false,
  },
  agent_claim: "I send the report",
  reasons: ["first use of email.send"],
  captured_at: 1800000000,
  screenshot: { sha256: octets(0x99), mime: "image/png", width: 640, height: 480 },
};
const manifestBytes = canonicalBytes(manifest);
const ctx = contextHash(manifestBytes);
const claims = {
  iss: agentJkt,
  aud: site.issuer,
  iat: 1800000000,
  nbf: 1800000000,
  exp: 1800000300,
  jti: rid,
  scope: "openid",
  login_hint: approver,
  authorization_details: [
    {
      type: "urn:countersign:action:v1",
      tier: "red",
      ctx,
      sealed_sha256: octets(0x5e),
      renderer: "2",
      approvers: [approver, octets(0x0b, 16)],
      quorum: 2,
    },
  ],
};
const header = toBase64url(utf8('{"alg":"ES256","typ":"oauth-authz-req+jwt"}'));
// Only the octets matter here: the signature is not looked at, so zeros stand for it.
const request = readRequestObject(
  `${header}.${toBase64url(canonicalBytes(claims))}.${octets(0, 64)}`,
);
const view = render(parseManifest(manifestBytes), request);
const reqNonce = octets(0x7e);
const context = { site, request, viewHash: viewHash(view, salt), reqNonce };
const ceremony = { cid: octets(0xcd, 16), brokerNonce, approver, deviceKid };
const statement = statementBytes(context, {
  ...ceremony,
  checkpoint: { size: 7, root: octets(0x70) },
});
const denial = denialBytes({
  issuer: site.issuer,
  approver,
  rid,
  agentJkt,
  deviceKid,
  reason: "wrong recipient",
});
const digest = hash("approve", statement);
const leaves = [
  { v: 1, salt: octets(0x1e), kind: "approve", rid, digest },
  { v: 1, salt: octets(0x1f), kind: "enrol", digest: octets(0x44) },
];
files.request = {
  manifest: fromUtf8(manifestBytes),
  ctx,
  request_object_payload: fromUtf8(canonicalBytes(claims)),
  ar_hash: request.arHash,
  view,
  view_hash: context.viewHash,
  req_nonce: reqNonce,
  match_code: matchCode({ arHash: request.arHash, reqNonce, matchSalt }),
  statement: fromUtf8(statement),
  approve_challenge: digest,
  denial: fromUtf8(denial),
  deny_hash: hash("deny", denial),
  leaves: leaves.map((record) => ({ record, leaf_entry: leafEntry(record) })),
};

// RFC 8032, section 7.1, test 1. Ed25519 is deterministic, so that notes can be known answers.
const logJwk = {
  kty: "OKP",
  crv: "Ed25519",
  d: toBase64url(bytesOf("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")),
  x: toBase64url(bytesOf("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")),
};
const logKey = {
  name: "countersign.example/log",
  publicKey: fromBase64url(logJwk.x),
  privateKey: await crypto.subtle.importKey("jwk", logJwk, "Ed25519", false, ["sign"]),
};
const logRecords = Array.from({ length: 7 }, (_, n) => ({
  ...{ v: 1, salt: octets(0x10 + n), kind: "approve", rid, digest: octets(0x20 + n) },
}));
const logEntries = logRecords.map((record) => fromBase64url(leafEntry(record)));
const edgeAt = (size) => appendEntries(emptyEdge, logEntries.slice(0, size)).edge;
const treeAt = (size) => ({ size, root: toBase64url(edgeRoot(edgeAt(size))) });
const tile = concat(...logEntries.map(leafHash));
const read = tileHashReader(7, async () => tile);
const hashTexts = (hashes) => hashes.map((each) => toBase64url(each));
const note = await signCheckpoint(treeAt(7), logKey);
const proofHashes = await inclusionProof(read, 4, 7);
files.log = {
  vkey: vkeyText(logKey),
  leaves: logRecords.map((record) => ({ record, leaf_entry: leafEntry(record) })),
  roots: Array.from({ length: 8 }, (_, size) => treeAt(size).root),
  tile_path: tilePath({ level: 0, index: 0, width: 7 }),
  tile: toBase64url(tile),
  entries: toBase64url(encodeEntries(logEntries)),
  checkpoint: note,
  inclusion: { index: 4, size: 7, proof: hashTexts(proofHashes) },
  consistency: { older: 3, newer: 7, proof: hashTexts(await consistencyProof(read, 3, 7)) },
  log_proof: logProofText({ index: 4, hashes: proofHashes, checkpoint: note }),
};

files.view = shownActions.map(([tool, args, more]) => {
  const action = { v: 1, tool, args, preconditions: [], reversible: false, ...more };
  const shown = { ...manifest, action };
  return { action, rows: render(parseManifest(canonicalBytes(shown)), request) };
});

const secret = new Uint8Array(32).fill(0x5c);
const nonce = new Uint8Array(32).fill(0x2e);
const root = chainRootBytes({ site, approver, subject: { credential, device }, brokerNonce });
const offer = {
  pairing_id: pairingId(secret),
  agent_jwk: agentJwk,
  name: "Desk",
  host: "ada.local",
  commit: nonceCommitment(nonce),
  iss: agentJkt,
  aud: site.issuer,
  iat: 1800000000,
  exp: 1800000600,
};
const paired = pairingStatementBytes({
  site,
  offer,
  logKey: vkeyText(logKey),
  approver,
  credential,
  device,
  chain: { seq: 0, head: chainHead(root) },
  brokerNonce,
  phoneNonce: octets(0xf0),
});
files.pairing = {
  secret: toBase64url(secret),
  nonce: toBase64url(nonce),
  pairing_id: offer.pairing_id,
  commit: offer.commit,
  link: pairingLink(site.origin, secret, agentJkt),
  offer_payload: fromUtf8(canonicalBytes(offer)),
  chain_root: fromUtf8(root),
  chain_head: chainHead(root),
  statement: fromUtf8(paired),
  pair_challenge: hash("pair", paired),
  mac: pairingMac(secret, paired),
  digits: compareDigits(paired, nonce),
};

const siteStatement = siteStatementBytes(site, brokerNonce);
files.site = {
  statement: fromUtf8(siteStatement),
  login_challenge: hash("login", siteStatement),
  register_challenge: hash("register", siteStatement),
};

const row = new RegExp(`\\[${Array(4).fill('\\n +(".*")').join(",")}\\n +\\]`, "g");
for (const [name, value] of Object.entries(files)) {
  const file = new URL(`../vectors/${name}.json`, import.meta.url);
  // A view's row is one line.
  const text = JSON.stringify(value, null, 2).replace(row, "[$1, $2, $3, $4]");
  writeFileSync(file, `${text}\n`);
}
