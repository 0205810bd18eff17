import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@countersign/agent-client";
import { launchChromium } from "@countersign/test-kit/chromium";
import { createSoftAgent } from "@countersign/test-kit/soft-agent";
import { afterEach, expect, it } from "vitest";
import { openDatabase, type Sql } from "../apps/broker/src/testing/attack.js";
import {
  enrolledPhone,
  startTestBroker,
  type TestBroker,
} from "../apps/broker/src/testing/harness.js";
import { startAutoPhone } from "../examples/desk-agent/src/auto-phone.js";
import { grow, keepState, settled } from "./support/log-tampering.js";
import { look } from "./support/look.js";

// Whoever holds the database rewrites the log behind the broker's back: the agent and the phone notice at their next
// contact, and stop.

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function startAttackedBroker(): Promise<{ broker: TestBroker; sql: Sql }> {
  const broker = await startTestBroker();
  const sql = openDatabase(broker);
  endings.push(
    () => broker.drop(),
    () => sql.end(),
  );
  return { broker, sql };
}

type Tamper = (sql: Sql, restore: () => Promise<void>) => Promise<unknown>;
const rewriteEntry: Tamper = (sql) =>
  sql`update log_entry set entry = (select entry from log_entry where index = 0) where index = 2`;
const swapEntries: Tamper = (sql) =>
  sql`update log_entry e set entry = o.entry from log_entry o
    where (e.index = 1 and o.index = 2) or (e.index = 2 and o.index = 1)`;
const rollBack: Tamper = (_, restore) => restore();
it.each<[string, Tamper, string, number]>([
  // The signed head is what it was, and what stands below is none of it.
  ["a byte of an entry was changed", rewriteEntry, "log_invalid", 1],
  ["two entries were put in another order", swapEntries, "log_invalid", 1],
  ["it was rolled back to an older state", rollBack, "log_rolled_back", 0],
  ["it was rolled back and grew past what was seen", rollBack, "log_fork", 60],
])("agent and phone stop at their next contact when %s", async (_, tamper, code, growth) => {
  const { broker, sql } = await startAttackedBroker();
  const phone = await enrolledPhone(broker, "Ada");
  const home = await mkdtemp(join(tmpdir(), "countersign-log-"));
  endings.push(() => rm(home, { recursive: true, force: true }));
  const client = await createClient({ brokerUrl: broker.site.origin, home });
  let digits = Promise.resolve("");
  await client.pair({
    name: "agent",
    onLink: (link) => {
      digits = phone.acceptPairing(link).then((accepted) => accepted.digits());
    },
    confirmDigits: () => digits,
  });
  await settled(sql);
  const restore = await keepState(sql);
  const proposal = { tool: "file.delete", args: { path: "/tmp/x" } };
  const guarded = await client.guard(proposal, () => "done", {
    onPending: ({ rid }) => void phone.approve(rid),
  });
  expect(guarded).toMatchObject({ status: "approved" });
  const waiting = await client.request(proposal);
  if (waiting.status !== "pending") throw new Error(waiting.status);
  const { rid } = waiting;
  // The agent looks once more, and so does the phone: neither saw anything wrong.
  await settled(sql);
  await phone.checkpoint();
  expect(await client.request(proposal)).toMatchObject({ status: "pending" });
  await settled(sql);
  const last = await phone.checkpoint();

  await tamper(sql, restore);
  await grow(sql, growth);
  await settled(sql);
  await expect(phone.signApproval(rid)).rejects.toMatchObject({ code });
  const checkpoints = { remembered: expect.stringContaining("\n— "), shown: expect.any(String) };
  expect(await client.request(proposal)).toMatchObject({
    status: "integrity_mismatch",
    code,
    ...(code === "log_invalid" ? {} : { checkpoints }),
  });
  expect(last.size).toBeGreaterThan(3);
});

it("the phone shows both states of a log that contradicts itself, and lets nobody approve", async () => {
  const { broker, sql } = await startAttackedBroker();
  const browser = await launchChromium();
  endings.push(() => browser.close());
  const phone = await startAutoPhone(browser, broker.site.origin);
  await phone.enrol(broker.firstInvitation ?? "");
  const agent = await createSoftAgent({ origin: broker.site.origin });
  await agent.pairWith({
    acceptPairing: async (link: string) => {
      const { page } = phone;
      await page.goto("/pair");
      await page.getByRole("textbox", { name: "Pairing link" }).fill(link);
      await page.getByRole("button", { name: "Pair", exact: true }).click();
      await page.getByText("Waiting for the agent").waitFor();
      return {
        pairingId: "",
        digits: async () => (await page.getByTestId("compare-digits").textContent()) ?? "",
      };
    },
  });
  await phone.page.getByText("may now ask for your approval").waitFor();
  await settled(sql);
  const restore = await keepState(sql);
  const first = await agent.request();
  await phone.approve(first.matchCode);
  expect((await agent.poll(first.rid)).status).toBe(200);
  const second = await agent.request();
  await settled(sql);
  await phone.page.goto(`/requests/${second.rid}`);
  // Its text alone is there before the log was looked at; the code is not.
  await phone.page.getByTestId("match-choice").first().waitFor();

  await restore();
  await phone.page.reload();
  const stop = phone.page.getByTestId("cannot-approve");
  await stop.waitFor();
  expect(await stop.textContent()).toContain("The server's log contradicts what this phone saw");
  expect(await stop.locator("pre").count()).toBe(2);
  for (const note of await stop.locator("pre").allTextContents()) expect(note).toContain("/log");
  await look(phone.page, "log-contradicted");
  expect(await phone.page.getByRole("button", { name: /^Approve with/ }).count()).toBe(0);
  await phone.page.getByRole("button", { name: "Deny", exact: true }).click();
  await phone.page.getByRole("button", { name: "Deny this request" }).click();
  await phone.page.getByText("You denied").waitFor();
});
