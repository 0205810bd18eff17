import {
  agentList,
  type Bytes,
  type ChainHead,
  type ChainLink,
  chainChallenge,
  chainHead,
  chainRootBytes,
  createRecoveryCode,
  deviceLink,
  deviceLinkId,
  type EcPublicJwk,
  type FreezeReceipt,
  freezeBytes,
  freezeChallenge,
  freezeReceipt,
  type KeyChange,
  keyAppended,
  keyChain,
  keyPurpose,
  keyStatementBytes,
  linkStatus,
  ProtocolError,
  parse,
  parseDeviceLink,
  parseFreeze,
  type RecoveryStatus,
  randomBytes,
  randomId,
  recoveryBytes,
  recoveryChallenge,
  recoveryCodeCount,
  recoveryCodeHash,
  recoveryStarted,
  recoveryStatus,
  requireLinkedKeys,
  type SignedFreeze,
  type Site,
  siteChallenge,
  toBase64url,
  type VerifiedChain,
  verifyChain,
  verifyProvenAgent,
  verifyVouching,
  vouch,
} from "@countersign/shared";
import type { SoftAuthenticator } from "./soft-authenticator.js";
import type { SoftDevice } from "./soft-device.js";

export type NoncePurpose =
  | "register"
  | "credential"
  | "device"
  | "login"
  | "pair"
  | "freeze"
  | "recovery";

/** The approver that a phone belongs to, and how far it verified the approver's chain. */
export interface Account {
  approver: string;
  anchor: ChainHead;
}

/** What a phone lends to its keys' part. */
interface Phone {
  origin: string;
  authenticator: SoftAuthenticator;
  device: SoftDevice;
  agents: Map<string, EcPublicJwk>;
  get(path: string): Promise<unknown>;
  post(path: string, value: unknown): Promise<unknown>;
  put(path: string, value: unknown): Promise<unknown>;
  nonce(purpose: NoncePurpose): Promise<string>;
  site(): Promise<Site>;
  account(): Account;
  setAccount(account: Account): void;
}

/** Who signs a K, for a phone that signs with other keys than its own. */
export interface Signers {
  authenticator?: SoftAuthenticator;
  device?: SoftDevice;
}

/** A phone's part in key chains, links, freezes and recovery. */
export function createSoftKeys(phone: Phone) {
  const { device, authenticator } = phone;

  /** The approver's chain, verified through what this phone knows of it. */
  async function chain(): Promise<VerifiedChain> {
    const { approver, anchor } = phone.account();
    const links = parse(keyChain, await phone.get("/app/keys")).chain;
    const verified = await verifyChain(links, {
      site: await phone.site(),
      approver,
      seen: [anchor],
    });
    phone.setAccount({ approver, anchor: { seq: verified.seq, head: verified.head } });
    return verified;
  }

  async function signLink(bytes: Bytes, change: KeyChange, by: Signers = {}): Promise<ChainLink> {
    const purpose = keyPurpose(change);
    const challenge = chainChallenge(bytes, purpose);
    return {
      statement: toBase64url(bytes),
      assertion: await (by.authenticator ?? authenticator).assert(challenge),
      device_signature: await (by.device ?? device).sign(purpose, bytes),
    };
  }

  /** The next K, signed and not sent. */
  async function signChange(change: KeyChange, by?: Signers): Promise<ChainLink & ChainHead> {
    const after = await chain();
    const bytes = keyStatementBytes({
      site: await phone.site(),
      approver: after.approver,
      after,
      change,
      brokerNonce: await phone.nonce(keyPurpose(change)),
    });
    const link = await signLink(bytes, change, by);
    return { ...link, seq: after.seq + 1, head: chainHead(bytes, keyPurpose(change)) };
  }

  async function change(given: KeyChange, by?: Signers): Promise<ChainHead> {
    const { seq: _, head: __, ...link } = await signChange(given, by);
    return parse(keyAppended, await phone.post("/app/keys", { link }));
  }

  /** On a new phone. `added` waits for the old one, and then knows whose phone this is. */
  async function offerLink(options: { ownPasskey?: boolean } = {}) {
    const secret = randomBytes(32);
    const linkId = deviceLinkId(secret);
    const own = options.ownPasskey ? { credential: authenticator.credential } : {};
    const keys = { device: device.keys, ...own };
    const handle = options.ownPasskey ? { user_handle: randomId() } : {};
    await phone.post("/app/links", { link_id: linkId, keys, ...handle });
    return {
      link: deviceLink(phone.origin, secret, keys),
      added: async (): Promise<string> => {
        const path = `/app/links/${linkId}?after=offered`;
        const { vouching } = parse(linkStatus, await phone.get(path));
        if (!vouching) throw new ProtocolError("link_stale");
        const anchor = verifyVouching(secret, vouching);
        phone.setAccount({ approver: vouching.approver, anchor });
        return vouching.approver;
      },
    };
  }

  /** On the old phone: fetches what the link leads to, compares, and signs it into the chain. */
  async function addByLink(text: string): Promise<void> {
    const link = parseDeviceLink(text, phone.origin);
    const { keys, user_handle } = parse(linkStatus, await phone.get(`/app/links/${link.linkId}`));
    requireLinkedKeys(link, keys);
    if (keys.credential) {
      const subject = { credential: keys.credential };
      const { seq: _, head: __, ...added } = await signChange({ op: "add", subject });
      await phone.post("/app/keys", { link: added, ...(user_handle ? { user_handle } : {}) });
    }
    const { seq, head, ...added } = await signChange({
      op: "add",
      subject: { device: keys.device },
    });
    const vouching = vouch(link.secret, phone.account().approver, { seq, head });
    const deviceLinkUse = { link_id: link.linkId, vouching };
    await phone.post("/app/keys", { link: added, device_link: deviceLinkUse });
  }

  /** Takes over the agents that another phone paired, each only by a P that this phone can prove. */
  async function learnAgents(): Promise<void> {
    const verified = await chain();
    const { agents } = parse(agentList, await phone.get("/app/agents"));
    for (const { agent_jwk: agentJwk, acceptance } of agents) {
      const { agent_jkt } = await verifyProvenAgent(
        { agentJwk, acceptance },
        { site: await phone.site(), chain: verified },
      );
      phone.agents.set(agent_jkt, agentJwk);
    }
  }

  /** F, signed and not sent. @param nonce makes it lift */
  async function signFreeze(agentJkt: string, seq: number, nonce?: string): Promise<SignedFreeze> {
    const { issuer } = await phone.site();
    const { approver } = phone.account();
    const parts = { issuer, approver, agentJkt, seq, deviceKid: device.kid, brokerNonce: nonce };
    const bytes = freezeBytes(parts);
    return {
      statement: toBase64url(bytes),
      device_signature: await device.sign("freeze", bytes),
      ...(nonce === undefined
        ? {}
        : { assertion: await authenticator.assert(freezeChallenge(bytes)) }),
    };
  }

  async function nextFreezeSeq(agentJkt: string): Promise<number> {
    const { agents } = parse(agentList, await phone.get("/app/agents"));
    const latest = agents.find(({ client_id }) => client_id === agentJkt)?.freeze;
    return latest ? parseFreeze(latest).seq + 1 : 1;
  }

  const putFreeze = async (agentJkt: string, freeze: SignedFreeze): Promise<FreezeReceipt> =>
    parse(freezeReceipt, await phone.put(`/app/agents/${agentJkt}/freeze`, freeze));

  /** @returns ten new codes; the server learns their hashes */
  async function makeRecoveryCodes(): Promise<string[]> {
    const codes = Array.from({ length: recoveryCodeCount }, createRecoveryCode);
    const bytes = recoveryBytes({
      v: 1,
      op: "codes",
      issuer: (await phone.site()).issuer,
      approver: phone.account().approver,
      device_kid: device.kid,
      code_hashes: codes.map(recoveryCodeHash),
      broker_nonce: await phone.nonce("recovery"),
    });
    await phone.post("/app/recovery", {
      statement: toBase64url(bytes),
      device_signature: await device.sign("recovery", bytes),
      assertion: await authenticator.assert(recoveryChallenge(bytes)),
    });
    return codes;
  }

  const recovery = async (): Promise<RecoveryStatus> =>
    parse(recoveryStatus, await phone.get("/app/recovery"));

  async function stopRecovery(recoveryId: string): Promise<void> {
    const bytes = recoveryBytes({
      v: 1,
      op: "cancel",
      issuer: (await phone.site()).issuer,
      approver: phone.account().approver,
      device_kid: device.kid,
      recovery_id: recoveryId,
    });
    await phone.post("/app/recovery", {
      statement: toBase64url(bytes),
      device_signature: await device.sign("recovery", bytes),
    });
  }

  const beginRecovery = async (code: string) =>
    parse(recoveryStarted, await phone.post("/app/recoveries", { code }));

  /** On a new phone, once the wait is over. @param named whom its chain is to name, if not who recovers */
  async function finishRecovery(code: string, named?: string): Promise<void> {
    const begun = await beginRecovery(code);
    const approver = named ?? begun.approver;
    const where = await phone.site();
    const registerNonce = await phone.nonce("register");
    const registration = await authenticator.register(
      siteChallenge("register", where, registerNonce),
    );
    const root = chainRootBytes({
      site: where,
      approver,
      subject: { credential: authenticator.credential, device: device.keys },
      brokerNonce: await phone.nonce("credential"),
    });
    await phone.post("/app/recoveries/completion", {
      code,
      register_nonce: registerNonce,
      registration,
      root: {
        statement: toBase64url(root),
        assertion: await authenticator.assert(chainChallenge(root)),
        device_signature: await device.sign("credential", root),
      },
    });
    phone.setAccount({ approver, anchor: { seq: 0, head: chainHead(root) } });
  }

  return {
    chain,
    signLink,
    signChange,
    change,
    revokeDevice: (deviceKid: string) =>
      change({ op: "revoke", subject: { device_kid: deviceKid } }),
    revokeCredential: (credentialId: string) =>
      change({ op: "revoke", subject: { credential_id: credentialId } }),
    offerLink,
    addByLink,
    learnAgents,
    signFreeze,
    putFreeze,
    nextFreezeSeq,
    freeze: async (agentJkt: string) =>
      putFreeze(agentJkt, await signFreeze(agentJkt, await nextFreezeSeq(agentJkt))),
    unfreeze: async (agentJkt: string) =>
      putFreeze(
        agentJkt,
        await signFreeze(agentJkt, await nextFreezeSeq(agentJkt), await phone.nonce("freeze")),
      ),
    makeRecoveryCodes,
    recovery,
    stopRecovery,
    beginRecovery,
    finishRecovery,
  };
}
