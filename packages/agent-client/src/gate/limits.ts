import * as z from "zod/mini";
import type { Clock } from "../clock.js";
import { ClientError } from "../errors.js";
import type { Described, Extent } from "./executor.js";

const amount = z.int().check(z.minimum(0));
const budget = z.strictObject({
  /** Calls. */
  count: z.optional(amount),
  perMinute: z.optional(amount),
  /** At the same time. */
  concurrent: z.optional(amount),
  files: z.optional(amount),
  bytes: z.optional(amount),
  /** Whole minor units, by currency (ISO 4217). A currency that is not named may not be spent. */
  money: z.optional(z.record(z.string(), amount)),
});
const hour = z.int().check(z.minimum(0), z.maximum(24));
const limitsSchema = z.strictObject({
  session: z.optional(budget),
  tools: z.optional(z.record(z.string(), budget)),
  /** When it may act, by the clock of `timeZone` (default: the machine's): from one full hour until another. */
  hours: z.optional(z.strictObject({ from: hour, to: hour, timeZone: z.optional(z.string()) })),
  /** Calls within calls. Default: 4. */
  depth: z.optional(amount),
});

/** What a session may do before a person is asked anew. Beyond any of it a call is red, whatever the policy says. */
export type Limits = z.infer<typeof limitsSchema>;
export type Budget = z.infer<typeof budget>;

/** What a call has taken out of its budgets. */
export interface Taken {
  /** Names of the limits that it went over. */
  exceeded: string[];
  /** Nothing was done: it is given back. */
  giveBack(): void;
  /** It is over, whatever came of it. */
  end(): void;
  /** A person approved going over them, having read that this renews them. */
  renew(): void;
}

interface Account {
  name: string;
  budget: Budget;
  used: Record<"count" | "files" | "bytes", number>;
  money: Map<string, number>;
  /** Monotonic times of the calls of the last minute. */
  recentMs: number[];
  running: number;
}

const minuteMs = 60_000;
const defaultDepth = 4;
/** Families that touch files: for them a number of files that nobody knows is over any budget. */
const touchesFiles: readonly string[] = ["write", "move", "delete"];
const movesMoney: readonly string[] = ["pay"];

/**
 * Budgets are taken before anything is awaited, so that of many calls at once none is let through on what another
 * one is about to use.
 * @throws ClientError `invalid_options`
 */
export function createLimits(given: Limits, clock: Clock) {
  const parsed = z.safeParse(limitsSchema, given);
  if (!parsed.success || !isTimeZone(parsed.data.hours?.timeZone)) {
    throw new ClientError("invalid_options", { detail: "limits" });
  }
  const { session = {}, tools = {}, hours, depth: maxDepth = defaultDepth } = parsed.data;
  const whole = open("session", session);
  const byTool = new Map(
    Object.entries(tools).map(([tool, budget]) => [tool, open(`tool.${tool}`, budget)]),
  );

  function take({ proposal, family, extent }: Described, depth: number): Taken {
    const accounts = [whole, byTool.get(proposal.tool)].flatMap((account) => account ?? []);
    const over = accounts.map((account) => ({
      account,
      names: exceededBy(account, family, extent, clock.monotonic()),
    }));
    const exceeded = over.flatMap(({ account, names }) =>
      names.map((name) => `${account.name}.${name}`),
    );
    if (depth > maxDepth) exceeded.push("depth");
    if (hours && !isWithin(hours, clock.now())) exceeded.push("hours");
    for (const account of accounts) enter(account, extent, clock.monotonic());
    return {
      exceeded,
      giveBack: () => {
        for (const account of accounts) giveBack(account, extent);
      },
      end: () => {
        for (const account of accounts) account.running -= 1;
      },
      renew: () => {
        for (const { account, names } of over) renew(account, names);
      },
    };
  }

  return { take, calls: () => whole.used.count };
}

export type LimitKeeper = ReturnType<typeof createLimits>;

const open = (name: string, budget: Budget): Account => ({
  name,
  budget,
  used: { count: 0, files: 0, bytes: 0 },
  money: new Map(),
  recentMs: [],
  running: 0,
});

function exceededBy(account: Account, family: string, extent: Extent, nowMs: number): string[] {
  const { budget, used } = account;
  const names: string[] = [];
  const over = (limit: number | undefined, total: number) => limit !== undefined && total > limit;
  if (budget.perMinute !== undefined) {
    account.recentMs = account.recentMs.filter((atMs) => nowMs - atMs < minuteMs);
  }
  if (over(budget.count, used.count + 1)) names.push("count");
  if (over(budget.perMinute, account.recentMs.length + 1)) names.push("perMinute");
  if (over(budget.concurrent, account.running + 1)) names.push("concurrent");
  const { files, bytes, amountMinor, currency } = extent;
  const unknown = touchesFiles.includes(family) ? Number.POSITIVE_INFINITY : 0;
  if (over(budget.files, used.files + (files ?? unknown))) names.push("files");
  if (over(budget.bytes, used.bytes + (bytes ?? unknown))) names.push("bytes");
  const spends = amountMinor !== undefined || movesMoney.includes(family);
  if (budget.money && spends) {
    const spent = account.money.get(currency ?? "") ?? 0;
    const limit = Object.hasOwn(budget.money, currency ?? "") ? budget.money[currency ?? ""] : 0;
    if (over(limit, spent + (amountMinor ?? Number.POSITIVE_INFINITY))) names.push("money");
  }
  return names;
}

function enter(account: Account, extent: Extent, nowMs: number): void {
  add(account, extent, 1);
  if (account.budget.perMinute !== undefined) account.recentMs.push(nowMs);
  account.running += 1;
}

function giveBack(account: Account, extent: Extent): void {
  add(account, extent, -1);
  account.recentMs.pop();
}

function add({ used, money }: Account, extent: Extent, sign: 1 | -1): void {
  used.count += sign;
  used.files += sign * (extent.files ?? 0);
  used.bytes += sign * (extent.bytes ?? 0);
  const { amountMinor = 0, currency = "" } = extent;
  money.set(currency, (money.get(currency) ?? 0) + sign * amountMinor);
}

function renew(account: Account, names: readonly string[]): void {
  for (const name of ["count", "files", "bytes"] as const) {
    if (names.includes(name)) account.used[name] = 0;
  }
  if (names.includes("money")) account.money.clear();
  if (names.includes("perMinute")) account.recentMs = [];
}

function isWithin({ from, to, timeZone }: NonNullable<Limits["hours"]>, nowMs: number): boolean {
  const now = hourOf(nowMs, timeZone);
  return from <= to ? from <= now && now < to : from <= now || now < to;
}

function hourOf(nowMs: number, timeZone: string | undefined): number {
  if (timeZone === undefined) return new Date(nowMs).getHours();
  const format = new Intl.DateTimeFormat("en", { hour: "numeric", hourCycle: "h23", timeZone });
  return Number(format.format(nowMs));
}

function isTimeZone(timeZone: string | undefined): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
    return true;
  } catch {
    return false;
  }
}
