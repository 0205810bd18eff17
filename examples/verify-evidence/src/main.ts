// Verifies a decision by nothing but the file, the log's public key and the approvers' root keys, and by nothing but
// Node's own cryptography: not a line of the product is in it.
//   node dist/main.js evidence.json <log key> <thumbprint of an approver's root passkey>...
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

// biome-ignore lint/suspicious/noExplicitAny: every member that counts is compared below
type Any = any;
const [path = "", vkey = "", ...rootKeys] = process.argv.slice(2);
const bytesOf = (text: string) => Buffer.from(text, "base64url");
const sha256 = (...parts: Uint8Array[]) =>
  createHash("sha256").update(Buffer.concat(parts)).digest();
const pre = (purpose: string, bytes: Uint8Array) =>
  Buffer.concat([Buffer.from(`countersign/${purpose}/v1\0`), bytes]);
const H = (purpose: string, bytes: Uint8Array) => sha256(pre(purpose, bytes)).toString("base64url");
const keyOf = (key: Any) => createPublicKey({ key, format: "jwk" });
const half = (value: number) => Math.floor(value / 2);
const byName = ([a]: [string, Any], [b]: [string, Any]) => (a < b ? -1 : 1);
const isList = (value: Any) => Array.isArray(value) || Object(value) !== value;
const sorted = (_: string, value: Any) =>
  isList(value) ? value : Object.fromEntries(Object.entries(value).sort(byName));
const canonical = (value: Any) => Buffer.from(JSON.stringify(value, sorted));
const thumbprint = ({ crv, kty, x, y }: Any) =>
  sha256(canonical({ crv, kty, x, y })).toString("base64url");
function demand(holds: Any, what: string): void {
  if (!holds) throw new Error(`This proves nothing: ${what}.`);
}

/** The object whose octets were signed. Only one spelling counts, so that nobody reads another one. */
function read(bytes: Buffer): Any {
  const value = JSON.parse(bytes.toString("utf8"));
  demand(canonical(value).equals(bytes), "a signed object is not canonical");
  return value;
}

const isSigned = (bytes: Uint8Array, signature: string, jwk: Any) =>
  verify("sha256", bytes, { key: keyOf(jwk), dsaEncoding: "ieee-p1363" }, bytesOf(signature));

/** A passkey, used by its verified owner on this very site, over this challenge (WebAuthn L3, 7.2). */
function isAsserted({ id, response }: Any, challenge: string, passkey: Any): boolean {
  const client = bytesOf(response.clientDataJSON);
  const said = JSON.parse(String(client));
  const data = bytesOf(response.authenticatorData);
  const isMeant = said.type === "webauthn.get" && said.challenge === challenge && id === passkey.id;
  const isHere = said.origin === site.origin && !said.crossOrigin && said.topOrigin === undefined;
  const isSite = data.subarray(0, 32).equals(sha256(Buffer.from(site.hostname)));
  const isPerson = ((data[32] ?? 0) & 5) === 5 && ((data[32] ?? 0) & 8) === (passkey.be ? 8 : 0);
  const signed = Buffer.concat([data, sha256(client)]);
  const isSigned = verify("sha256", signed, keyOf(passkey.jwk), bytesOf(response.signature));
  return isHere && isMeant && isSite && isPerson && isSigned;
}

const isPinned = ([root]: Any[]) =>
  rootKeys.includes(thumbprint(read(bytesOf(root.statement)).subject.credential.jwk));
/** The keys of an approver, followed link by link from the root passkey that is pinned. */
function followChain(links: Any[]) {
  const person = { approver: "", passkeys: [] as Any[], devices: [] as Any[] };
  let head: string | undefined;
  for (const [seq, { statement, assertion, device_signature }] of links.entries()) {
    const bytes = bytesOf(statement);
    const K = read(bytes);
    const { credential, device, credential_id, device_kid } = K.subject;
    const purpose = K.op === "root" || credential || credential_id ? "credential" : "device";
    const name = H(purpose, bytes);
    if (seq === 0) Object.assign(person, { approver: K.approver, passkeys: [credential] });
    if (seq === 0) person.devices.push(device.sig_jwk);
    const isNext = K.seq === seq && K.prev === head && K.approver === person.approver;
    const isOurs = K.issuer === issuer && (K.op === "root") === (seq === 0);
    const both =
      person.passkeys.some((each) => isAsserted(assertion, name, each)) &&
      person.devices.some((jwk) => isSigned(pre(purpose, bytes), device_signature, jwk));
    demand(isNext && isOurs && both, `link ${seq} of a key chain`);
    if (K.op === "add" && credential) person.passkeys.push(credential);
    if (K.op === "add" && device) person.devices.push(device.sig_jwk);
    person.passkeys = person.passkeys.filter(({ id }) => id !== credential_id);
    person.devices = person.devices.filter((jwk) => thumbprint(jwk) !== device_kid);
    head = name;
  }
  return person;
}

/** The record's entry is in a tree that the log's key signed (RFC 6962; C2SP tlog-proof, signed-note). */
function isLogged(record: Any, proof: string): boolean {
  const at = proof.indexOf("\n\n");
  const [, index = "", ...hashes] = proof.slice(0, at).split("\n");
  const text = proof.slice(at + 2, proof.lastIndexOf("\n\n") + 1);
  const [name = "", id = "", ...key] = vkey.split("+");
  const x = Buffer.from(key.join("+"), "base64").subarray(1).toString("base64url");
  const isNoted = proof.split("\n").some((line) => {
    const [dash, by, signature = ""] = line.split(" ");
    const bytes = Buffer.from(signature, "base64");
    if (dash !== "—" || by !== name || bytes.subarray(0, 4).toString("hex") !== id) return false;
    const logKey = keyOf({ kty: "OKP", crv: "Ed25519", x });
    return verify(null, Buffer.from(text), logKey, bytes.subarray(4));
  });
  const [origin, size, root] = text.split("\n");
  let [fn, sn] = [Number(index.slice("index ".length)), Number(size) - 1];
  let node = sha256(Buffer.of(0), bytesOf(H("leaf", canonical(record))));
  for (const sibling of hashes.map((hash) => Buffer.from(hash, "base64"))) {
    if (sn === 0) return false;
    const isLeft = fn % 2 === 1 || fn === sn;
    node = sha256(Buffer.of(1), ...(isLeft ? [sibling, node] : [node, sibling]));
    while (isLeft && fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    [fn, sn] = [half(fn), half(sn)];
  }
  return isNoted && origin === name && sn === 0 && fn === 0 && node.toString("base64") === root;
}

const evidence = JSON.parse(readFileSync(path, "utf8"));
const { manifest, req_nonce, agent_jwk } = evidence;
const [header, payload, signature] = evidence.request.split(".");
const request = read(bytesOf(payload));
const { approvers, quorum, ctx } = request.authorization_details[0];
const { iss: agent_jkt, aud: issuer, jti: rid, exp: exec_by } = request;
const site = new URL(issuer);
const isAgents = isSigned(Buffer.from(`${header}.${payload}`), signature, agent_jwk);
demand(isAgents && agent_jkt === thumbprint(agent_jwk), "the agent's signature");
demand(!manifest || H("context", bytesOf(manifest)) === ctx, "the action is another one");
const own = { ctx, rid, issuer, agent_jkt, exec_by, req_nonce };
const expected = {
  approve: { ...own, decision: "approve", ar_hash: H("request", bytesOf(payload)) },
  deny: { issuer, rid, agent_jkt, decision: "deny" },
};
const people = evidence.chains.filter(isPinned).map(followChain);
const found = { approve: [] as string[], deny: [] as string[], keys: new Set<string>() };
for (const { decision, statement, assertion, device_signature } of evidence.decisions) {
  const kind: "approve" | "deny" = decision;
  const bytes = bytesOf(statement);
  const S = read(bytes);
  const isOurs = Object.entries(expected[kind]).every(([member, value]) => S[member] === value);
  demand(isOurs && approvers.includes(S.approver), "a decision about something else");
  const person = people.find(({ approver }: Any) => approver === S.approver);
  const device = person?.devices.find((jwk: Any) => thumbprint(jwk) === S.device_kid);
  demand(device && isSigned(pre(kind, bytes), device_signature, device), "a device's signature");
  const digest = H(kind, bytes);
  const isUsed = (key: Any) => kind === "deny" || isAsserted(assertion, digest, key);
  const passkey = person.passkeys.find(isUsed);
  demand(passkey && !found[kind].includes(S.approver), "a passkey's signature");
  found[kind].push(S.approver);
  if (kind === "approve") found.keys.add(S.device_kid).add(thumbprint(passkey.jwk));
  const leaf = evidence.leaves.find(({ record }: Any) => record.digest === digest);
  demand(leaf?.proof && leaf.record.kind === kind && leaf.record.rid === rid, "a leaf is missing");
  demand(isLogged(leaf.record, leaf.proof), "a decision is not in the log");
}
const isDenied = found.deny.length > 0;
const isEnough = found.approve.length >= quorum && found.keys.size === 2 * found.approve.length;
demand(isDenied || isEnough, "not enough people approved");
const [word, by] = isDenied ? ["denied", found.deny] : ["approved", found.approve];
console.log(`${word} by ${by}, request ${rid}`);
