import { launchChromium, newPhone } from "@countersign/test-kit/chromium";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestBroker, type TestBroker } from "../apps/broker/src/testing/harness.js";
import { keyboardOf } from "./support/keyboard.js";
import { draw } from "./support/picture.js";
import { awake } from "./support/reviewing.js";

// Everything by keys alone: no test in this file points at anything.

let broker: TestBroker;
let browser: Browser;
let page: Page;
let keys: ReturnType<typeof keyboardOf>;
let agent: SoftAgent;

beforeAll(async () => {
  [broker, browser] = await Promise.all([startTestBroker(), launchChromium()]);
  const phone = await newPhone(browser, broker.site.origin, {
    ...{ isMobile: false, hasTouch: false, deviceScaleFactor: 1, reducedMotion: "reduce" },
  });
  page = phone.page;
  keys = keyboardOf(page);
  agent = await createSoftAgent({ origin: broker.site.origin, name: "Desk agent" });
});
afterAll(async () => {
  await browser.close();
  await broker.drop();
});

const heading = (name: string | RegExp) => page.getByRole("heading", { name }).waitFor();

it("enrols", async () => {
  await page.goto(broker.firstInvitation ?? "");
  await heading("Approve from this phone");
  await keys.to("Your name");
  await keys.type("Ada");
  await keys.use("Create passkey");
  await heading("One more time");
  await keys.use("Confirm with passkey");
  await heading("You are set");
});

it("practises: denies one, approves one", async () => {
  await keys.use("Practise");
  await page.getByText("Practice 1 of 2").waitFor();
  await keys.use("Deny");
  await heading("Deny this request?");
  await keys.use("Deny this request");
  await keys.use("Continue");
  await page.getByText("Practice 2 of 2").waitFor();
  await readAll();
  await awake(page);
  await keys.use("Approve with");
  await keys.use("Continue");
  await heading("Well done");
});

it("pairs an agent by its link", async () => {
  await page.goto("/");
  await keys.use("Pair an agent");
  await heading("Pair an agent");
  await agent.pairWith({
    acceptPairing: async (link) => {
      await keys.to("Pairing link");
      await keys.type(link);
      await heading("This agent wants to pair");
      await keys.use("Pair");
      return {
        pairingId: "",
        digits: async () => (await page.getByTestId("compare-digits").textContent()) ?? "",
      };
    },
  });
  await heading("Paired");
  await keys.use("Go to the inbox");
  await heading("Inbox");
});

/** By the keys that scroll, then by the app's own button for what was passed over. */
async function readAll(): Promise<void> {
  const rest = page.getByRole("button", { name: "Show what is left" });
  await rest.waitFor();
  const end = () => page.evaluate(() => scrollY + innerHeight >= document.body.scrollHeight - 2);
  while (!(await end())) {
    await keys.press("PageDown");
    await page.waitForTimeout(60);
  }
  await page.waitForTimeout(150);
  while (await rest.isVisible()) {
    // On the way to it the focus may bring the rest into view.
    await keys.press("Tab");
    if ((await keys.focus()).name.startsWith("Show what is left")) await keys.press("Enter");
    await page.waitForTimeout(60);
  }
}

it("approves: opens it, looks closer, picks the code, reads all of it", async () => {
  const { picture, screenshot } = await draw(page, "desk", { width: 1280, height: 800 });
  const request = await agent.request({
    ...{ picture, screenshot, seconds: 600 },
    args: { path: "/tmp/demo", note: "word ".repeat(400) },
    target: { rectangle: { x: 700, y: 420, width: 130, height: 50 } },
  });
  await page.getByTestId("inbox-item").waitFor();
  await keys.use("Desk agent");
  await page.getByTestId("target").waitFor();
  await keys.use(/^Show \d+ more characters/);
  await keys.use("Show where it would act");
  await keys.press("ArrowRight");
  await keys.use("Zoom out");
  await keys.use(request.matchCode);
  await readAll();
  await awake(page);
  await keys.use("Approve with");
  await page.getByText("You approved").waitFor();
  expect((await agent.poll(request.rid)).status).toBe(200);
  await keys.use("Back to the inbox");
  await heading("Inbox");
});

it("denies with a reason, in a sheet that keeps the focus and gives it back", async () => {
  const { rid } = await agent.request();
  await page.getByTestId("inbox-item").waitFor();
  await keys.use("Desk agent");
  await page.getByTestId("match-choice").first().waitFor();
  await keys.use("Deny");
  await heading("Deny this request?");
  for (let presses = 0; presses < 12; presses++) {
    await keys.press(presses % 3 === 2 ? "Shift+Tab" : "Tab");
    const { name, isInSheet } = await keys.focus();
    // Between the last and the first the browser's own frame may have it; the page behind never does.
    expect(isInSheet || name === "").toBe(true);
  }
  await keys.press("Escape");
  await expect.poll(() => page.locator("dialog").count()).toBe(0);
  expect((await keys.focus()).name).toBe("Deny");
  await keys.press("Enter");
  await keys.to("Not now");
  await keys.press("ArrowDown");
  await keys.to("Reason");
  await keys.type("Not this folder");
  await keys.use("Deny this request");
  await page.getByText("You denied").waitFor();
  expect((await agent.poll(rid)).body).toMatchObject({ error: "access_denied" });
});

it("freezes an agent, and lifts it", async () => {
  const { rid } = await agent.request();
  await page.goto(`/requests/${rid}`);
  await page.getByTestId("match-choice").first().waitFor();
  await keys.use("Deny");
  await keys.to("Not now");
  await keys.press("ArrowUp");
  await keys.use("Freeze and deny");
  await expect.poll(async () => (await agent.poll(rid)).body["code"]).toBe("frozen");
  await page.goto("/agents");
  await keys.use("Lift");
  await heading("Let Desk agent go on?");
  await keys.use("Lift with passkey");
  await expect.poll(() => page.getByText("Frozen: it can ask").count()).toBe(0);
});

it("goes through the tabs, the history, the settings and the devices", async () => {
  await page.goto("/");
  await keys.use("History");
  await heading("History");
  await keys.use("Desk agent");
  await page
    .getByText(/^You (approved|denied)|^Denied/)
    .first()
    .waitFor();
  // What comes last has come: nothing moves any more between finding a link and using it.
  await page.getByText("Back to the inbox").waitFor();
  await keys.use("Inbox");
  await heading("Inbox");
  await keys.use("Settings");
  await heading("Settings");
  await keys.use("Always pick", "Space");
  await expect.poll(() => page.getByRole("checkbox").isChecked()).toBe(true);
  await keys.use("Make an invitation link");
  await keys.use("Copy");
  await keys.use("Diagnostics");
  await page.getByText("Clock, against").waitFor();
  await keys.use("Add another phone");
  await heading("Devices and passkeys");
  await keys.to("Link of the new phone");
  await keys.type("nonsense");
  await page.getByText("This is not the link of a new phone").waitFor();
  await keys.use("Settings");
  await keys.use("Sign out");
  await keys.use("Sign in with passkey");
  await page.getByRole("heading", { name: "Settings" }).waitFor();
});

it("unpairs an agent", async () => {
  await page.goto("/agents");
  await keys.use("Unpair");
  await heading("Unpair Desk agent?");
  await keys.use("Unpair this agent");
  await page.getByText("No agents yet").waitFor();
});

it("moves nothing for whoever asked for less motion", async () => {
  await page.goto("/you");
  await heading("Settings");
  const moving = await page.evaluate(() =>
    [...document.querySelectorAll("*")]
      .filter((element) => {
        const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
        const transitions = transitionDuration.split(",").some((one) => Number.parseFloat(one) > 0);
        return transitions || animationName !== "none" || scrollBehavior === "smooth";
      })
      .map(({ className }) => String(className)),
  );
  expect(moving).toEqual([]);
});
