import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "@countersign/agent-client";
import { launchChromium } from "@countersign/test-kit/chromium";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestBroker, type TestBroker } from "../apps/broker/src/testing/harness.js";
import { type AutoPhone, startAutoPhone } from "../examples/desk-agent/src/auto-phone.js";

import { look } from "./support/look.js";

// What became of a request, as its approver reads it afterwards.

let broker: TestBroker;
let browser: Browser;
let phone: AutoPhone;
let desk: Page;
let home: string;
let client: Client;

beforeAll(async () => {
  broker = await startTestBroker();
  browser = await launchChromium();
  phone = await startAutoPhone(browser, broker.site.origin);
  await phone.enrol(broker.firstInvitation ?? "");
  desk = await browser.newPage({ viewport: { width: 900, height: 560 } });
  home = await mkdtemp(join(tmpdir(), "countersign-outcomes-"));
  client = await createClient({ brokerUrl: broker.site.origin, home: join(home, "state") });
  let digits = Promise.resolve("");
  await client.pair({
    name: "Desk",
    onLink: (link) => {
      digits = phone.pair(link);
    },
    confirmDigits: () => digits,
  });
});
afterAll(async () => {
  await browser.close();
  await broker.drop();
  await rm(home, { recursive: true, force: true });
});

const say = (text: string) =>
  desk.setContent(`<body style="font: 48px sans-serif; padding: 80px">${text}</body>`);
const proposal = { tool: "desk.say", args: { text: "paid" } };

it("the screen after an action is opened by the approver, and was given to the agent's model", async () => {
  await say("Pay?");
  const result = await client.guard(proposal, () => say("Paid. Thank you."), {
    screenshot: () => desk.screenshot(),
    afterPicture: () => desk.screenshot(),
    onPending: ({ matchCode }) => void phone.approve(matchCode),
  });
  expect(result).toMatchObject({ status: "approved", outcome: "succeeded" });
  const { page } = phone;
  await page.getByText("Reported and signed by the agent").waitFor();
  await page.getByRole("button", { name: "Screen after it" }).click();
  await page.getByRole("img", { name: "The agent's screen after the action" }).waitFor();
  await look(page, "after-at-once");

  await page.goto("/history");
  await page.getByTestId("history-item").first().click();
  await page.getByRole("button", { name: "Screen after it" }).waitFor();
  await look(page, "history-result");
  await page.getByRole("button", { name: "Screen after it" }).click();
  const picture = page.getByRole("img", { name: "The agent's screen after the action" });
  await expect.poll(() => picture.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(900);
  await look(page, "history-after");
  await page.getByRole("button", { name: "Close" }).click();
  await picture.waitFor({ state: "detached" });

  await page.getByRole("button", { name: "What happened when" }).click();
  const steps = page.getByTestId("story").locator("strong");
  await steps.first().waitFor();
  expect(await steps.allTextContents()).toEqual([
    "Proposed",
    "First opened",
    "An approval",
    "Taken by the agent, to be executed",
    "Done",
  ]);
  await look(page, "history-story");
});

it("another picture than the reported one is not shown", async () => {
  const { page } = phone;
  await page.route("**/contexts/*", async (route) => {
    const answer = await route.fetch();
    const body = await answer.body();
    body.writeUInt8(body.readUInt8(body.length - 40) ^ 1, body.length - 40);
    await route.fulfill({ response: answer, body });
  });
  await page.goto("/history");
  await page.getByTestId("history-item").first().click();
  await page.getByRole("button", { name: "Screen after it" }).click();
  await page.getByText("is not the one that the agent reported").waitFor();
  await look(page, "after-altered");
  expect(await page.getByTestId("after-picture").getByRole("img").count()).toBe(0);
  await page.unroute("**/contexts/*");
});

it("what a freeze denied is told from what a person denied", async () => {
  const { page } = phone;
  const denied = await client.request(proposal);
  if (denied.status !== "pending") throw new Error("not asked");
  await phone.deny(denied.matchCode, "No");
  await page.getByText("You denied").waitFor();
  const [one, other] = [await client.request(proposal), await client.request(proposal)];
  if (one.status !== "pending" || other.status !== "pending") throw new Error("not asked");
  await page.goto(`/requests/${one.rid}`);
  await page.getByRole("button", { name: "Deny", exact: true }).click();
  await page.getByRole("radio").last().check();
  await page.getByRole("button", { name: "Freeze and deny" }).click();
  await page.getByText("You froze the agent, which denied this too").waitFor();
  await look(page, "frozen-here");
  await page.goto("/history");
  await expect.poll(() => page.getByText("Denied by a freeze").count()).toBe(2);
  expect(await page.getByText("Denied", { exact: true }).count()).toBe(1);
  await look(page, "history-frozen");
  await page.goto(`/requests/${other.rid}`);
  await page.getByText("Denied by a freeze of the agent").waitFor();
  await look(page, "frozen-other");
});
