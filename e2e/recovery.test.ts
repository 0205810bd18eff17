import { launchChromium, newPhone, type Phone } from "@countersign/test-kit/chromium";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openDatabase, type Sql } from "../apps/broker/src/testing/attack.js";
import { startTestBroker, type TestBroker } from "../apps/broker/src/testing/harness.js";
import { type AutoPhone, startAutoPhone } from "../examples/desk-agent/src/auto-phone.js";
import { pairByScreen } from "./support/hands.js";
import { look } from "./support/look.js";

// A person who lost every phone gets the account back, slowly and in sight of whatever is left.

let broker: TestBroker;
let sql: Sql;
let browser: Browser;
let old: AutoPhone;
let agent: SoftAgent;
let codes: string[];

beforeAll(async () => {
  broker = await startTestBroker();
  sql = openDatabase(broker);
  browser = await launchChromium();
  old = await startAutoPhone(browser, broker.site.origin);
  await old.enrol(broker.firstInvitation ?? "");
  agent = await createSoftAgent({ origin: broker.site.origin, name: "Desk" });
  await pairByScreen(old.page, agent);
});
afterAll(async () => {
  await browser.close();
  await sql.end();
  await broker.drop();
});

/** On a phone that knows nothing: from the door to what the code begins. */
async function typeCode({ page }: Phone, code: string): Promise<void> {
  await page.goto("/recover");
  await page.getByRole("textbox", { name: "Recovery code" }).fill(code);
  await page.getByRole("button", { name: "Begin the recovery" }).click();
}

it("the way of a new phone offers codes, shows them once, and counts them", async () => {
  const { page } = old;
  await page.goto("/enrol");
  await look(page, "enrolled-with-codes");
  await page.getByRole("link", { name: /^Recovery codes/ }).click();
  await page.getByText("You have no codes").waitFor();
  await look(page, "codes-none");
  await page.getByRole("button", { name: "Make codes" }).click();
  await page.getByText("They are shown only now").waitFor();
  codes = await page.locator(".code-sheet code").allTextContents();
  expect(new Set(codes).size).toBe(10);
  await look(page, "codes-made");
  await page.emulateMedia({ media: "print" });
  expect(await page.getByRole("link", { name: "I have kept them" }).isVisible()).toBe(false);
  expect(await page.getByText(codes[0] ?? "").isVisible()).toBe(true);
  await page.emulateMedia({ media: "screen" });
  await page.getByRole("link", { name: "I have kept them" }).click();
  await page.getByText("You are set").waitFor();
  await page.goto("/you");
  await page.getByText("10 left").waitFor();
  await page.goto("/recovery");
  await page.getByText("10 codes are left").waitFor();
  await look(page, "codes-left");
  expect(await page.locator("body").textContent()).not.toContain(codes[0]);
});

it("a code withdraws what waits and says when to come back; every phone says so and can stop it", async () => {
  await old.page.goto("/");
  const { rid } = await agent.request();
  await old.page.getByTestId("inbox-item").waitFor();
  const stranger = await newPhone(browser, broker.site.origin);
  await stranger.page.goto("/");
  await stranger.page.getByRole("link", { name: "Use a recovery code" }).click();
  await look(stranger.page, "recover-code");
  await stranger.page.getByRole("textbox", { name: "Recovery code" }).fill("ABCDE");
  await stranger.page.getByRole("button", { name: "Begin the recovery" }).click();
  await stranger.page.getByText("was used, replaced or mistyped").waitFor();
  await typeCode(stranger, (codes[0] ?? "").toLowerCase().replaceAll("-", " "));
  await stranger.page.getByText("Come back on").waitFor();
  await look(stranger.page, "recover-waiting");
  expect((await agent.status(rid)).state).toBe("canceled");

  const { page } = old;
  await page.getByText("Somebody used a recovery code of this account").waitFor();
  await look(page, "recovery-notice");
  await page.getByRole("link", { name: "See it and stop it" }).click();
  await page.getByText("9 codes are left").waitFor();
  await look(page, "recovery-pending");
  await page.getByRole("button", { name: "Stop the recovery" }).click();
  await page.getByText("Stopped.").waitFor();
  await look(page, "recovery-stopped");
  await page.goto("/");
  await page.getByRole("heading", { name: "Inbox" }).waitFor();
  await expect.poll(() => page.getByText("Somebody used a recovery code").count()).toBe(0);
  await typeCode(stranger, codes[0] ?? "");
  await stranger.page.getByText("was used, replaced or mistyped").waitFor();
  await stranger.context.close();
});

it("after a day the same code gives the account to a new phone, and no agent with it", async () => {
  const found = await newPhone(browser, broker.site.origin);
  const { page } = found;
  await typeCode(found, codes[1] ?? "");
  await page.getByText("Come back on").waitFor();
  await sql`update recovery set ready_at = now()`;
  await typeCode(found, codes[1] ?? "");
  await page.getByText("Welcome back, Ada").waitFor();
  await look(page, "recover-ready");
  await page.getByRole("button", { name: "Create passkey" }).click();
  await page.getByRole("button", { name: "Confirm with passkey" }).waitFor();
  await look(page, "recover-confirm");
  await page.getByRole("button", { name: "Confirm with passkey" }).click();
  await page.getByText("You are set, Ada").waitFor();
  await page.goto("/agents");
  await page.getByText("No agents yet").waitFor();
  await page.goto("/devices");
  await page.getByText("This phone").first().waitFor();
  await look(page, "recovered-devices");
  await page.goto("/recovery");
  await page.getByText("You have no codes").waitFor();

  await old.page.goto("/");
  await old.page.getByRole("button", { name: "Sign in with passkey" }).waitFor();
  const again = await createSoftAgent({ origin: broker.site.origin, name: "Desk again" });
  await pairByScreen(page, again);
  const { rid } = await again.request();
  await page.goto(`/requests/${rid}`);
  await page.getByRole("button", { name: "Deny", exact: true }).waitFor();
  expect(await page.getByTestId("cannot-approve").count()).toBe(0);
});
