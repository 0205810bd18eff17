import { launchChromium } from "@countersign/test-kit/chromium";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestBroker, type TestBroker } from "../apps/broker/src/testing/harness.js";
import { type AutoPhone, startAutoPhone } from "../examples/desk-agent/src/auto-phone.js";
import { pairByScreen } from "./support/hands.js";

// 390 px at twice the zoom are 195 px. On a page that is wider than its screen a tap does not land where it is seen.

let broker: TestBroker;
let browser: Browser;
let phone: AutoPhone;
let agent: SoftAgent;

beforeAll(async () => {
  broker = await startTestBroker();
  browser = await launchChromium();
  phone = await startAutoPhone(browser, broker.site.origin);
  await phone.enrol(broker.firstInvitation ?? "");
  agent = await createSoftAgent({ origin: broker.site.origin, name: "Desk" });
  await pairByScreen(phone.page, agent);
  await phone.page.setViewportSize({ width: 195, height: 422 });
});
afterAll(async () => {
  await browser.close();
  await broker.drop();
});

const screens = ["/", "/agents", "/history", "/you", "/devices", "/pair", "/recovery", "/alerts"];

it("no screen is wider than a phone at twice the zoom, with text at twice its size", async () => {
  const { page } = phone;
  // It is denied in the next test.
  const { rid } = await agent.request({ seconds: 600 });
  for (const path of [...screens, `/requests/${rid}`]) {
    await page.goto(path);
    await page.getByRole("heading").first().waitFor();
    await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
    await page.waitForTimeout(300);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width, path).toBe(195);
  }
});

it("the denial sheet's choices and its button take a tap there", async () => {
  const { page } = phone;
  await page.setViewportSize({ width: 195, height: 422 });
  await page.getByRole("button", { name: "Deny", exact: true }).tap();
  await page.getByRole("radio", { name: "Wrong action" }).tap();
  await page.getByRole("textbox", { name: "Reason" }).fill("Too small");
  await page.getByRole("button", { name: "Deny this request" }).tap();
  await page.getByText("You denied").waitFor();
});
