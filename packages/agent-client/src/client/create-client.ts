import { resolve as resolvePath } from "node:path";
import type { Site } from "@countersign/shared";
import { defaultHome } from "../cli/environment.js";
import { type Clock, systemClock } from "../clock.js";
import { ClientError } from "../errors.js";
import type { Roots } from "../executors/roots.js";
import { type Execute, type Guarded, type GuardOptions, guardAction } from "../gate/guard.js";
import { type AgentKey, ensureAgentKey, readAgentKey } from "../home/agent-key.js";
import { openPrivateDirectory } from "../home/durable-file.js";
import { openLogMemory } from "../home/log-memory.js";
import { openPins } from "../home/pins.js";
import { createBroker } from "../http/broker.js";
import { createTransport } from "../http/transport.js";
import { openJournal } from "../journal/journal.js";
import { type Logger, silent } from "../logger.js";
import { type PairedApprover, type PairOptions, pairApprover } from "../pairing/pair.js";
import { unpairApprover } from "../pairing/unpair.js";
import { createMeasures, type Measures } from "../preconditions/registry.js";
import { settleLast } from "../transactions/acquire.js";
import { openTransactions } from "../transactions/create-transactions.js";
import type { Approved, Claimed, NotApproved, Pending } from "./answer.js";
import { cancelRequest } from "./cancel.js";
import { claimApproval } from "./claim.js";
import type { ClientContext } from "./context.js";
import type { HeldRequest } from "./held-request.js";
import { createHeldRequests } from "./held-requests.js";
import { readOwnRequest } from "./own-request.js";
import { keepParts } from "./parts.js";
import { requirePicture } from "./picture.js";
import { type Resolution, recoverAll, resolveUnknown } from "./recover.js";
import { type OutcomeReport, recordOutcome } from "./report.js";
import { type ActionProposal, ask, hold, type NotAsked, type RequestOptions } from "./request.js";
import { answerFromJournal } from "./settle.js";
import { siteOf } from "./site.js";
import { undoExecution } from "./undo.js";
import { awaitAnswer } from "./wait.js";

export interface ClientOptions {
  /**
   * Where the broker is, as the phone knows it: `https://approve.example.com`, or `http://localhost:<port>`. In a home
   * that is paired with another broker, whatever reads its pins throws `wrong_broker`.
   */
  brokerUrl: string;
  /**
   * The agent's own directory: key, pins and journal. Whoever can write it needs no approval, so keep it out of
   * the model's reach. Default: `$COUNTERSIGN_HOME`, `$XDG_STATE_HOME/countersign` or `~/.local/state/countersign`.
   */
  home?: string;
  /** Further kinds of preconditions. `file` and `tree` are built in; see `pageRegion`. */
  preconditions?: Measures;
  /** What virtual paths (`vfs://...`) are below, so that `file` and `tree` can be measured there. */
  roots?: Roots;
  /** How long `request` looks for a broker that does not answer. Default: 30,000. */
  retryForMs?: number;
  fetch?: typeof globalThis.fetch;
  logger?: Logger;
  clock?: Clock;
}

/** An agent's side of Countersign. */
export interface Client {
  /**
   * Pairs an approver's phone with this agent.
   * @throws ClientError `pairing_failed`, `pairing_expired`, `pairing_canceled`, `digits_wrong`, `keys_changed`,
   *   `keys_shared`, `log_changed`, `unreachable`
   */
  pair(options: PairOptions): Promise<PairedApprover>;
  /**
   * Removes an approver's keys here, at once and certainly, then tells the broker if it can.
   * @throws ClientError `not_paired`
   */
  unpair(approver: string): Promise<{ brokerTold: boolean }>;
  approvers(): Promise<PairedApprover[]>;
  /** Asks. An answer other than `pending` means that nobody was asked, or nobody will be heard. */
  request(proposal: ActionProposal, options?: RequestOptions): Promise<Pending | NotAsked>;
  /**
   * Waits for a request of this process. Aborting takes the request back.
   * @throws ClientError `unknown_request` after a restart: use `resume`
   */
  wait(rid: string, options?: { signal?: AbortSignal }): Promise<Approved | NotApproved>;
  /**
   * Waits for a request from the journal, after a restart too, or tells what became of it.
   * @throws ClientError `unknown_request`, `home_corrupt`
   */
  resume(rid: string, options?: { signal?: AbortSignal }): Promise<Approved | NotApproved>;
  /**
   * Uses an approval up and hands out the action: execute it at once, then `report`.
   * @throws ClientError `not_approved` without a `wait` or `resume` of this process that said `approved`
   */
  claim(rid: string): Promise<Claimed | NotApproved>;
  /**
   * Says what became of a claimed action. A later `rolled_back` is the next outcome.
   * @throws ClientError `not_claimed` for what this process did not claim; `invalid_options` for an after-picture
   *   that no phone could show
   */
  report(rid: string, report: OutcomeReport): Promise<{ n: number }>;
  /** Takes a request back; once it is settled or used, tells what became of it. */
  cancel(rid: string): Promise<NotApproved>;
  /** All of it around one effect. */
  guard<T>(
    proposal: ActionProposal,
    execute: Execute<T>,
    options?: GuardOptions<T>,
  ): Promise<Guarded<T>>;
  /**
   * Call it when the agent starts: what a crash interrupted is taken back where it was a transaction.
   * @returns requests whose outcome nobody knows: they wait for `resolve`
   */
  recover(): Promise<string[]>;
  /**
   * Takes back what an approved action did, as its plan said, and reports that as the next outcome. Doing it again
   * does nothing more.
   * @throws ClientError `nothing_to_undo`, `changed_since`, `undo_failed`
   */
  undo(rid: string): Promise<{ n: number }>;
  /**
   * A person says how an `unknown` execution ended.
   * @throws ClientError `not_unknown`
   */
  resolve(rid: string, status: Resolution): Promise<{ n: number }>;
}

/**
 * Opens the agent's home directory. Nothing is sent before something is asked.
 * @throws ClientError `invalid_options`, `home_unsafe`, `home_corrupt`
 */
export async function createClient(options: ClientOptions): Promise<Client> {
  const site = siteOf(options.brokerUrl);
  const home = options.home ?? defaultHome();
  await openPrivateDirectory(home);
  const base = await openBase(home, site, options);
  const held = createHeldRequests(options.clock ?? systemClock);
  let connected = await readAgentKey(home).then((key) => key && base.connect(key));

  const transactions = () => openTransactions(home);

  async function context(): Promise<ClientContext> {
    const key = connected ? undefined : await readAgentKey(home);
    if (key) connected = base.connect(key);
    if (!connected) throw new ClientError("not_paired");
    return connected;
  }

  async function fromJournal(rid: string) {
    const current = await context();
    const entry = await current.journal.read(rid);
    if (!entry) throw new ClientError("unknown_request", { detail: rid });
    const own = held.find(rid)?.own ?? (await readOwnRequest(entry.request, current.key, site));
    return { current, own, settled: await answerFromJournal(current, own, entry) };
  }

  /** Lets go of what the journal says is over, however this ends. */
  async function letGo<T>(requests: Iterable<HeldRequest>, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } finally {
      const { journal } = await context();
      for (const request of requests) {
        // What cannot be read stays held: this must not take the place of what `act` came to.
        if (await journal.isSettled(request.own.rid).catch(() => false)) held.settle(request);
      }
    }
  }

  async function resume(rid: string, { signal }: { signal?: AbortSignal } = {}) {
    const { current, own, settled } = await fromJournal(rid);
    if (settled) return settled;
    const request = held.find(rid) ?? hold(own, undefined);
    held.keep(request);
    return letGo([request], () => awaitAnswer(current, request, signal));
  }

  const client: Client = {
    async pair(pairing) {
      connected ??= base.connect(await ensureAgentKey(home));
      return pairApprover(connected, pairing);
    },
    unpair: async (approver) => unpairApprover(await context(), approver),
    approvers: async () =>
      (await base.pins.all()).map(({ approver, name, paired_at }) => ({
        approver,
        name,
        pairedAt: new Date(paired_at * 1000),
      })),
    async request(proposal, requestOptions = {}) {
      const current = await context().catch(notPaired);
      if (!current) return { status: "refused_by_policy", code: "not_paired" };
      const asked = await ask(current, proposal, requestOptions);
      if (asked.held) held.keep(asked.held);
      return asked.answer;
    },
    async wait(rid, waiting) {
      if (!held.isOurs(rid)) throw new ClientError("unknown_request", { detail: rid });
      return resume(rid, waiting);
    },
    resume,
    async claim(rid) {
      if (!held.wasApproved(rid)) throw new ClientError("not_approved", { detail: rid });
      const request = held.find(rid);
      const { current, settled } = await fromJournal(rid);
      if (settled) return settled;
      if (!request) throw new ClientError("not_approved", { detail: rid });
      return letGo([request], () => claimApproval(current, request));
    },
    async report(rid, { afterPicture, ...report }) {
      const startedAtMs = held.claimedAtMs(rid);
      if (startedAtMs === undefined) throw new ClientError("not_claimed", { detail: rid });
      const picture = afterPicture && requirePicture(afterPicture);
      const { current, own } = await fromJournal(rid);
      const { n } = await recordOutcome(current, own, { ...report, picture, startedAtMs });
      return { n };
    },
    async cancel(rid) {
      const { current, own, settled } = await fromJournal(rid);
      const request = held.find(rid);
      return settled ?? letGo(request ? [request] : [], () => cancelRequest(current, own));
    },
    async guard(proposal, execute, guarding = {}) {
      const current = await context().catch(notPaired);
      if (!current) return { status: "refused_by_policy", code: "not_paired" };
      const asked: HeldRequest[] = [];
      const keep = (request: HeldRequest) => {
        held.keep(request);
        asked.push(request);
      };
      return letGo(asked, () => guardAction(current, keep, proposal, execute, guarding));
    },
    recover: async () => {
      const current = await context().catch(notPaired);
      await settleLast(await transactions());
      return current ? recoverAll(current, await transactions()) : [];
    },
    async undo(rid) {
      const { current, own } = await fromJournal(rid);
      const { n } = await undoExecution(current, own, await transactions());
      return { n };
    },
    async resolve(rid, status) {
      const { current, own } = await fromJournal(rid);
      const { n } = await resolveUnknown(current, own, status);
      return { n };
    },
  };
  const { measures, clock, logger } = base;
  return keepParts(client, { home: resolvePath(home), measures, clock, logger, context });
}

/** A home without a key is an agent that nobody paired: its requests are refused, which is no error. */
function notPaired(error: unknown): undefined {
  if (error instanceof ClientError && error.code === "not_paired") return undefined;
  throw error;
}

async function openBase(home: string, site: Site, options: ClientOptions) {
  const { clock = systemClock, logger = silent, retryForMs = 30_000 } = options;
  const transport = createTransport(options.fetch ?? globalThis.fetch, clock);
  const journal = await openJournal(home);
  const pins = await openPins(home, site);
  const log = await openLogMemory(home);
  const measures = createMeasures(options.preconditions, options.roots);
  return {
    pins,
    measures,
    clock,
    logger,
    connect: (key: AgentKey): ClientContext => {
      const broker = createBroker(site.issuer, key, transport, clock);
      const owed = new Set<string>();
      return { site, key, broker, journal, pins, log, measures, clock, logger, retryForMs, owed };
    },
  };
}
