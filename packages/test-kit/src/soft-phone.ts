import {
  type Approval,
  agentList,
  appPairing,
  type Bytes,
  type Ceremony,
  type Checkpoint,
  canonicalBytes,
  ceremony,
  chainChallenge,
  chainHead,
  chainRootBytes,
  compareDigits,
  type DeniedDecision,
  decisionReceipt,
  denialBytes,
  type EcPublicJwk,
  type ErrorCode,
  errorTable,
  fromBase64url,
  hashBytes,
  invitationIssued,
  me,
  nonceResponse,
  ProtocolError,
  pairingChallenge,
  pairingMac,
  pairingStatementBytes,
  parse,
  parsePairingLink,
  parseStatement,
  problem,
  type RequestState,
  randomId,
  randomNonce,
  requestDetail,
  requestList,
  requireConsistent,
  type Site,
  type Statement,
  siteChallenge,
  siteInfo,
  siteStatementBytes,
  statementBytes,
  toBase64url,
  verifyAssertion,
  verifyCheckpoint,
  verifyPairingOffer,
} from "@countersign/shared";
import {
  type CeremonyOverrides,
  createSoftAuthenticator,
  type SoftAuthenticator,
} from "./soft-authenticator.js";
import { createSoftDevice } from "./soft-device.js";
import { type Account, createSoftKeys, type NoncePurpose } from "./soft-keys.js";
import { type Review, reviewRequest } from "./soft-review.js";

/** What a hostile phone does instead. Everything else stays honest, the signatures included. */
export interface Tamper {
  /** Signs these members instead of the statement that the review led to. */
  statement?: (honest: Statement) => object;
  assertion?: CeremonyOverrides;
  /** Sends this instead of the approval that was signed. */
  decision?: (honest: Approval) => unknown;
}

export type SoftPhone = Awaited<ReturnType<typeof createSoftPhone>>;

/**
 * A phone without a screen: it speaks the app's real wire to a running broker, checks what the app must
 * check, and says yes or no when told to. A refusal of the broker or of its own checks is thrown as
 * ProtocolError with the wire's code.
 * @param options `origin` is the broker's public URL; `fetch` reaches a broker that does not listen;
 *   `syncedWith` is a phone whose passkey was synced to this one
 */
export async function createSoftPhone(options: {
  origin: string;
  fetch?: typeof fetch;
  syncedWith?: { authenticator: SoftAuthenticator };
}) {
  const { origin } = options;
  const call = session(origin, options.fetch ?? fetch);
  const authenticator =
    options.syncedWith?.authenticator ??
    createSoftAuthenticator({ rpId: new URL(origin).hostname, origin });
  const device = await createSoftDevice();
  /** Agents whose keys this phone saw itself, by thumbprint. */
  const agents = new Map<string, EcPublicJwk>();
  let account: Account | undefined;
  let known: (Site & { log_key: string }) | undefined;
  let seen: Checkpoint | undefined;

  const enrolled = (): Account => {
    if (!account) throw new ProtocolError("unauthenticated");
    return account;
  };
  const get = async (path: string) => body(await call("GET", path));
  const post = async (path: string, value: unknown) => body(await call("POST", path, value));

  const keys = createSoftKeys({
    origin,
    authenticator,
    device,
    agents,
    get,
    post,
    put: async (path, value) => body(await call("PUT", path, value)),
    nonce,
    site,
    account: enrolled,
    setAccount: (given) => {
      account = given;
    },
  });

  /** Asked once, as the app does: from then on a phone knows its log by its key. */
  async function site(): Promise<Site & { log_key: string }> {
    if (known) return known;
    const { issuer, rp_id, origin: named, log_key } = parse(siteInfo, await get("/app/site"));
    // The phone knows where it is; a server that says otherwise would make it sign for another site.
    if (named !== origin || issuer !== origin || rp_id !== new URL(origin).hostname) {
      throw new ProtocolError("invalid_binding");
    }
    known = { issuer, rp_id, origin, log_key };
    return known;
  }

  /** The log as it is now, if it still begins with what this phone saw of it. */
  async function checkpoint(): Promise<Checkpoint> {
    const { log_key } = await site();
    const before = seen;
    const shown = await accepted(await call("GET", "/log/checkpoint"));
    const next = await verifyCheckpoint(await shown.text(), log_key);
    if (before && next.size < before.size) throw new ProtocolError("log_rolled_back");
    if (before) {
      await requireConsistent(before, next, async (path) => {
        const tile = await accepted(await call("GET", `/log/${path}`));
        return new Uint8Array(await tile.arrayBuffer());
      });
    }
    // Another review of this phone may have seen more meanwhile.
    if (!seen || next.size > seen.size) seen = next;
    return next;
  }

  async function nonce(purpose: NoncePurpose): Promise<string> {
    return parse(nonceResponse, await post("/app/nonces", { purpose })).broker_nonce;
  }

  /** @param invitation the link or what stands after its `#` */
  async function enrol(invitation: string, name: string): Promise<string> {
    const secret = invitation.split("#").at(-1) ?? "";
    await post("/app/invitations/check", { invitation: secret });
    const approver = randomId();
    const registerNonce = await nonce("register");
    const registration = await authenticator.register(
      siteChallenge("register", await site(), registerNonce),
    );
    const root = chainRootBytes({
      site: await site(),
      approver,
      subject: { credential: authenticator.credential, device: device.keys },
      brokerNonce: await nonce("credential"),
    });
    await post("/app/approvers", {
      invitation: secret,
      name,
      register_nonce: registerNonce,
      registration,
      root: {
        statement: toBase64url(root),
        assertion: await authenticator.assert(chainChallenge(root)),
        device_signature: await device.sign("credential", root),
      },
    });
    account = { approver, anchor: { seq: 0, head: chainHead(root) } };
    return approver;
  }

  async function signIn(): Promise<void> {
    const brokerNonce = await nonce("login");
    const signed = siteStatementBytes(await site(), brokerNonce);
    const assertion = await authenticator.assert(hashBytes("login", signed));
    const proof = account && {
      device_kid: device.kid,
      device_signature: await device.sign("login", signed),
    };
    await post("/app/session", { broker_nonce: brokerNonce, assertion, device: proof });
  }

  /** Section 6 from the phone's side, steps 3 and 4. `digits` waits for the agent to reveal its nonce. */
  async function acceptPairing(
    link: string,
  ): Promise<{ pairingId: string; digits(): Promise<string> }> {
    const { secret, agentJkt, pairingId } = parsePairingLink(link, origin);
    const path = `/app/pairings/${pairingId}`;
    const where = await site();
    const offered = parse(appPairing, await get(path));
    const offer = await verifyPairingOffer(offered.offer, {
      issuer: where.issuer,
      agentJkt,
      pairingId,
    });
    const { approver } = enrolled();
    const { seq, head } = await keys.chain();
    const statement = pairingStatementBytes({
      site: where,
      logKey: where.log_key,
      offer,
      approver,
      credential: authenticator.credential,
      device: device.keys,
      chain: { seq, head },
      brokerNonce: await nonce("pair"),
      phoneNonce: randomNonce(),
    });
    await post(`${path}/acceptance`, {
      statement: toBase64url(statement),
      assertion: await assertAndCheck(authenticator, where, statement),
      device_signature: await device.sign("pair", statement),
      mac: pairingMac(secret, statement),
    });
    agents.set(agentJkt, offer.agent_jwk);
    return {
      pairingId,
      digits: async () => {
        const revealed = await waitForReveal(() => get(`${path}?after=accepted`));
        return compareDigits(statement, revealed);
      },
    };
  }

  /** Opens the request and does every check of section 3, object 7. Opens a new ceremony. */
  async function review(rid: string): Promise<Review & { ceremony: Ceremony }> {
    const path = `/app/requests/${rid}`;
    const detail = parse(requestDetail, await get(path));
    const context = await accepted(await call("GET", `${path}/context`));
    const octets = new Uint8Array(await context.arrayBuffer());
    const reviewed = await reviewRequest(detail, octets, {
      rid,
      fetchPicture: async (sealedSha256) => {
        const piece = await accepted(await call("GET", `${path}/contexts/${sealedSha256}`));
        return new Uint8Array(await piece.arrayBuffer());
      },
      site: await site(),
      approver: enrolled().approver,
      device,
      agents,
    });
    const opened = parse(ceremony, await post(`${path}/ceremony`, { device_kid: device.kid }));
    return { ...reviewed, ceremony: opened };
  }

  /** Reviews, and signs a yes without sending it: for replays and races. */
  async function signApproval(rid: string, tamper: Tamper = {}): Promise<Approval> {
    const { context, ceremony: opened } = await review(rid);
    if (!opened.credential_ids.includes(authenticator.credential.id)) {
      throw new ProtocolError("credential_unknown");
    }
    const honest = statementBytes(context, {
      cid: opened.cid,
      brokerNonce: opened.broker_nonce,
      approver: enrolled().approver,
      deviceKid: device.kid,
      checkpoint: await checkpoint(),
    });
    const signed = tamper.statement
      ? canonicalBytes(tamper.statement(parseStatement(honest)))
      : honest;
    return {
      decision: "approve",
      statement: toBase64url(signed),
      assertion: await authenticator.assert(hashBytes("approve", signed), tamper.assertion),
      device_signature: await device.sign("approve", signed),
    };
  }

  /** Signs a no without sending it. It opens nothing, so it also works on what cannot be opened. */
  async function signDenial(rid: string, reason?: string): Promise<DeniedDecision> {
    const detail = parse(requestDetail, await get(`/app/requests/${rid}`));
    const { issuer } = await site();
    const { approver } = enrolled();
    const statement = denialBytes({
      issuer,
      approver,
      rid,
      agentJkt: detail.client_id,
      deviceKid: device.kid,
      reason,
    });
    return {
      decision: "deny",
      statement: toBase64url(statement),
      device_signature: await device.sign("deny", statement),
    };
  }

  /** @returns the request's state after it */
  async function decide(rid: string, decision: unknown): Promise<RequestState> {
    return parse(decisionReceipt, await post(`/app/requests/${rid}/decisions`, decision)).state;
  }

  return {
    authenticator,
    device,
    agents,
    call,
    nonce,
    keys,
    enrol,
    signIn,
    acceptPairing,
    checkpoint,
    review,
    signApproval,
    signDenial,
    decide,
    approve: async (rid: string, tamper: Tamper = {}) => {
      const approval = await signApproval(rid, tamper);
      return decide(rid, tamper.decision ? tamper.decision(approval) : approval);
    },
    deny: async (rid: string, reason?: string) => decide(rid, await signDenial(rid, reason)),
    approver: () => enrolled().approver,
    me: async () => parse(me, await get("/app/me")),
    inbox: async () => parse(requestList, await get("/app/requests?view=inbox")).requests,
    pairedAgents: async () => parse(agentList, await get("/app/agents")).agents,
    /** @returns a link for a new approver */
    invite: async () => parse(invitationIssued, await post("/app/invitations", {})).invitation_link,
  };
}

/** Before P is sent the phone verifies its own assertion: a proof, even where the broker told it the key. */
async function assertAndCheck(authenticator: SoftAuthenticator, site: Site, statement: Bytes) {
  const challenge = pairingChallenge(statement);
  const assertion = await authenticator.assert(challenge);
  await verifyAssertion(assertion, {
    challenge: toBase64url(challenge),
    origin: site.origin,
    rpId: site.rp_id,
    credential: authenticator.credential,
  });
  return assertion;
}

async function waitForReveal(poll: () => Promise<unknown>): Promise<Bytes> {
  for (;;) {
    const { state, nonce } = parse(appPairing, await poll());
    if (nonce !== undefined) return fromBase64url(nonce);
    if (state === "ended") throw new ProtocolError("pairing_stale");
  }
}

/** A browser's part of a call: the session cookie, the origin and the metadata headers. */
function session(origin: string, send: typeof fetch) {
  let cookie: string | undefined;
  return async (
    method: string,
    path: string,
    value?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> => {
    const response = await send(`${origin}${path}`, {
      method,
      redirect: "error",
      headers: {
        ...(method === "GET" ? {} : { origin, "content-type": "application/json" }),
        "sec-fetch-site": "same-origin",
        ...(cookie === undefined ? {} : { cookie: `__Host-session=${cookie}` }),
        ...headers,
      },
      ...(value === undefined ? {} : { body: JSON.stringify(value) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const given = /^__Host-session=([^;]*)/.exec(line)?.[1];
      if (given !== undefined) cookie = given === "" ? undefined : given;
    }
    return response;
  };
}

async function body(response: Response): Promise<unknown> {
  const text = await (await accepted(response)).text();
  return text === "" ? undefined : JSON.parse(text);
}

async function accepted(response: Response): Promise<Response> {
  if (response.ok) return response;
  const { code } = parse(problem, await response.json());
  if (!(code in errorTable)) throw new ProtocolError("internal", { reason: code });
  throw new ProtocolError(code as ErrorCode, { reason: String(response.status) });
}
