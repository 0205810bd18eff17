import { launchChromium, newPhone, type Phone } from "@countersign/test-kit/chromium";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestBroker, type TestBroker } from "../apps/broker/src/testing/harness.js";
import { type AutoPhone, startAutoPhone } from "../examples/desk-agent/src/auto-phone.js";
import { pairByScreen } from "./support/hands.js";
import { look } from "./support/look.js";

// Two real phones of one person and an agent: link, see what the other paired, freeze, lift, remove.

let broker: TestBroker;
let browser: Browser;
let first: AutoPhone;
let second: Phone;
let agent: SoftAgent;

beforeAll(async () => {
  broker = await startTestBroker();
  browser = await launchChromium();
  first = await startAutoPhone(browser, broker.site.origin);
  await first.enrol(broker.firstInvitation ?? "");
  agent = await createSoftAgent({ origin: broker.site.origin, name: "Desk" });
  second = await newPhone(browser, broker.site.origin);
  await second.context.grantPermissions(["clipboard-read", "clipboard-write"]);
});
afterAll(async () => {
  await browser.close();
  await broker.drop();
});

it("a new phone with a passkey of its own is added by its code, signs in, and sees the agents that the old one paired", async () => {
  await pairByScreen(first.page, agent);
  const { page } = second;
  await page.goto("/");
  await page.getByRole("link", { name: "Add it to your account" }).click();
  await look(page, "link-ask");
  await page.getByRole("button", { name: "Make a passkey here" }).click();
  await page.getByRole("img", { name: "Code for your other phone" }).waitFor();
  await look(page, "link-code");
  await page.getByRole("button", { name: "Copy the link instead" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());

  const old = first.page;
  await old.goto("/devices");
  await old.getByRole("textbox", { name: "Link of the new phone" }).waitFor();
  await look(old, "devices-add");
  await old.getByRole("textbox", { name: "Link of the new phone" }).fill(link);
  await old.getByRole("button", { name: "Add its passkey" }).click();
  await look(old, "devices-found");
  await old.getByRole("button", { name: "Add the phone" }).click();
  await old.getByText("The new phone is one of your devices now").waitFor();
  await look(old, "devices-added");

  await page.getByText("This phone is one of your devices now").waitFor();
  await look(page, "link-done");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Inbox" }).waitFor();
  await page.goto("/agents");
  await page.getByText("Desk").waitFor();
  await expect.poll(() => page.getByRole("button", { name: "Unpair" }).count()).toBe(1);
});

it("the new phone reads a request that was sealed before it was there as not sealed for it, and freezes the agent", async () => {
  const { page } = second;
  const { rid } = await agent.request();
  await page.goto(`/requests/${rid}`);
  await page.getByText("Not sealed for this device").waitFor();
  await look(page, "not-sealed");
  await page.getByRole("button", { name: "Deny", exact: true }).click();
  await page.getByRole("radio").last().check();
  await look(page, "freeze-sheet");
  await page.getByRole("button", { name: "Freeze and deny" }).click();
  await expect.poll(async () => (await agent.poll(rid)).body["code"]).toBe("frozen");
});

it("the same person's other phone lifts it, with the passkey", async () => {
  const { page } = first;
  await page.goto("/agents");
  await page.getByText("Frozen: it can ask and execute nothing").waitFor();
  await look(page, "agents-frozen");
  await page.getByRole("button", { name: "Lift", exact: true }).click();
  await look(page, "lift-sheet");
  await page.getByRole("button", { name: "Lift with passkey" }).click();
  await expect.poll(() => page.getByText("Frozen: it can ask").count()).toBe(0);
  await agent.request();
});

it("an agent is frozen from the list too, and what it waits for is denied", async () => {
  const { page } = first;
  const { rid } = await agent.request();
  await look(page, "agents");
  await page.getByRole("button", { name: "Freeze", exact: true }).click();
  await look(page, "freeze-from-list");
  await page.getByRole("button", { name: "Freeze this agent" }).click();
  await page.getByText("Frozen: it can ask and execute nothing").waitFor();
  expect((await agent.poll(rid)).body["code"]).toBe("frozen");
});

it("a phone that is removed is signed out where it stands", async () => {
  const { page } = first;
  await second.page.goto("/");
  await page.goto("/devices");
  await page.getByRole("button", { name: "Remove" }).first().click();
  await look(page, "remove-sheet");
  await page.getByRole("button", { name: "Remove with passkey" }).click();
  await page
    .getByText(/removed/)
    .first()
    .waitFor();
  await look(page, "devices-removed");
  await second.page.goto("/");
  await second.page
    .getByRole("button", { name: /Sign in|passkey/ })
    .first()
    .waitFor();
  expect(await second.page.getByText("New here?").count()).toBe(1);
});
