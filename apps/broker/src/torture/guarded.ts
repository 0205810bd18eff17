import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Client,
  type Clock,
  createClient,
  type Guarded,
  type PairedApprover,
} from "@countersign/agent-client";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";
import { from } from "../testing/load.js";
import type { Finding } from "./report.js";

// The agent that users run, the SDK, around effects that count themselves.

export interface Lane {
  client: Client;
  phone: SoftPhone;
  close(): Promise<void>;
}

export interface LaneOptions {
  origin: string;
  invitation: string;
  /** Both are counted by it: each lane is somebody else. */
  address: string;
  agentFetch?: typeof fetch;
  phoneFetch?: typeof fetch;
  clock?: Clock;
}

/** An agent in a home of its own. */
export async function startClient(
  options: Pick<LaneOptions, "origin" | "address" | "agentFetch" | "clock">,
): Promise<{ client: Client; close(): Promise<void> }> {
  const { origin, address, clock, agentFetch } = options;
  const home = await mkdtemp(join(tmpdir(), "countersign-torture-"));
  const client = await createClient({
    ...{ brokerUrl: origin, home, fetch: from(address, agentFetch) },
    ...(clock ? { clock } : {}),
  });
  return { client, close: () => rm(home, { recursive: true, force: true }) };
}

/** As an honest person does it, digits and all. */
export async function pairClient(
  client: Client,
  phone: Pick<SoftPhone, "acceptPairing">,
): Promise<PairedApprover> {
  let accepted: ReturnType<SoftPhone["acceptPairing"]> | undefined;
  return client.pair({
    name: "tortured agent",
    onLink: (link) => {
      accepted = phone.acceptPairing(link);
      accepted.catch(() => {});
    },
    confirmDigits: async () => (await (await accepted)?.digits()) ?? "",
  });
}

/** An agent, and the person who answers it, enrolled and paired. */
export async function startLane(options: LaneOptions): Promise<Lane> {
  const { origin, address } = options;
  const phone = await createSoftPhone({ origin, fetch: from(address, options.phoneFetch) });
  await phone.enrol(options.invitation, `Approver at ${address}`);
  const { client, close } = await startClient(options);
  await pairClient(client, phone);
  return { client, phone, close };
}

/** What the effects of all lanes came to: the count that matters more than any state. */
export interface Effects {
  /** When each was had, on the real clock. */
  executed: Map<string, number[]>;
  deadlines: Map<string, number>;
  /** People's own words: who said yes, and to what. */
  approved: Set<string>;
}

export const newEffects = (): Effects => ({
  executed: new Map(),
  deadlines: new Map(),
  approved: new Set(),
});

export interface Moments {
  /** Of this one the person knows; what it throws takes the request back. */
  onPending(rid: string): void;
  /** Within the effect. */
  onExecute?: () => Promise<void> | void;
}

/** One guarded effect. */
export async function guardOne(
  { client }: Lane,
  effects: Effects,
  moments: Moments,
  expiresInSeconds: number,
): Promise<Guarded<string>> {
  let rid = "";
  return client.guard(
    { tool: "file.delete", args: { path: "/tmp/demo" } },
    async () => {
      effects.executed.set(rid, [...(effects.executed.get(rid) ?? []), Date.now()]);
      await moments.onExecute?.();
      return "done";
    },
    {
      expiresInSeconds,
      onPending: (pending) => {
        rid = pending.rid;
        effects.deadlines.set(rid, pending.deadline.getTime());
        moments.onPending(rid);
      },
    },
  );
}

/** Executions after the deadline, without a yes, or more than one of them. */
export function judge({ executed, deadlines, approved }: Effects): Finding & { late: number } {
  const all = [...executed];
  const late = all.filter(([rid, times]) =>
    times.some((time) => time > (deadlines.get(rid) ?? 0)),
  ).length;
  const unasked = all.filter(([rid]) => !approved.has(rid)).length;
  return {
    late,
    lost: 0,
    doubled: all.filter(([, times]) => times.length > 1).length,
    wrong: late + unasked,
  };
}
