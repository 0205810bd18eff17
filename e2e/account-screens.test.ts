import type { SoftAgent } from "@countersign/test-kit/soft-agent";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { look } from "./support/look.js";
import { watchForHarm } from "./support/reviewing.js";
import { startWorld, type World } from "./support/world.js";

// Everything about the account, its agents and this phone, screen by screen.

let world: World;
let page: Page;
let agent: SoftAgent;
let harm: string[];

beforeAll(async () => {
  world = await startWorld("Desk agent");
  ({ page, agent } = world);
  harm = watchForHarm(page);
});
afterAll(() => world.close());

const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });

it("the inbox, filled and emptied", async () => {
  const other = await world.pairAnother("An agent with a name that is as long as names get to be");
  const requests = [
    await agent.request(),
    await other.request({ seconds: 50 }),
    await agent.request(),
  ];
  await page.goto("/");
  await page.getByTestId("inbox-item").nth(2).waitFor();
  await agent.call("POST", `/v1/requests/${requests[0]?.rid}/cancel`, {});
  await page.getByText("No longer waiting").waitFor();
  await look(page, "inbox");
  for (const { rid } of requests) {
    await agent.call("POST", `/v1/requests/${rid}/cancel`, {});
    await other.call("POST", `/v1/requests/${rid}/cancel`, {});
  }
  await page.goto("/history");
  await page.getByTestId("history-item").nth(2).waitFor();
  await look(page, "history");
});

it("the agents", async () => {
  await page.goto("/agents");
  await button("Unpair").first().waitFor();
  await look(page, "agents");
  await button("Unpair").first().click();
  await look(page, "agents-unpair");
  await page.keyboard.press("Escape");
});

it("settings", async () => {
  await page.goto("/you");
  await button("Make an invitation link").waitFor();
  await look(page, "settings");
  await button("Make an invitation link").click();
  await button("Copy").waitFor();
  await page.getByText("Diagnostics").click();
  await page.getByText("Clock, against").waitFor();
  await look(page, "settings-open");
});

it("a switch tells its state where the person's own colours take the place of the app's", async () => {
  await page.goto("/you");
  const box = page.getByRole("checkbox");
  const drawnBy = () => box.evaluate((input) => getComputedStyle(input).appearance);
  expect(await drawnBy()).toBe("none");
  await page.emulateMedia({ forcedColors: "active" });
  // The browser's own box: a ground of the app's would be gone.
  expect(await drawnBy()).toBe("auto");
  await page.emulateMedia({ forcedColors: "none" });
});

it("a list that cannot be had offers another try", async () => {
  const isList = (url: string) => /\/app\/(?!(site|me|events)$)/.test(url);
  for (const path of ["/", "/history", "/oversight", "/recovery"]) {
    await page.route("**/app/**", async (route) => {
      if (isList(route.request().url())) return route.fulfill({ status: 503, body: "{}" });
      return route.continue();
    });
    await page.goto(path);
    await button("Try again").waitFor();
    if (path === "/history") await look(page, "history-failed");
    const asked = page.waitForRequest((request) => isList(request.url()));
    await button("Try again").click();
    await asked;
    await button("Try again").waitFor();
    await page.unrouteAll({ behavior: "wait" });
    // Pressed if it is still there: a screen that hears of something looks by itself.
    const press = () =>
      button("Try again").evaluateAll(([found]) => (found as HTMLElement | undefined)?.click());
    await expect
      .poll(async () => {
        await press();
        return page.getByText(/^(Loading|Try again)$/).count();
      })
      .toBe(0);
  }
});

it("how somebody decides, in figures", async () => {
  const { matchCode } = await agent.request();
  await world.phone.approve(matchCode);
  // A screen that is left while its answer is being signed has given none.
  await page.getByText("You approved").waitFor();
  await page.goto("/you");
  await page.getByText("How you decide").click();
  await page.getByTestId("oversight-agents").getByText("Desk agent").waitFor();
  expect(await page.getByTestId("oversight-times").textContent()).toContain(
    "Of 1 that you answered",
  );
  await look(page, "oversight");
});

it("devices and passkeys", async () => {
  await page.goto("/devices");
  await page.getByRole("textbox", { name: "Link of the new phone" }).waitFor();
  await look(page, "devices");
  await page.goto("/nowhere");
  await page.getByText("Nothing here").waitFor();
  await look(page, "not-found");
});

it("an update, which waits while somebody reviews", async () => {
  // What a browser says once a newer service worker is there.
  await page.addInitScript(() => {
    Object.defineProperty(ServiceWorkerRegistration.prototype, "waiting", {
      get: () => navigator.serviceWorker.controller,
    });
  });
  const { rid } = await agent.request();
  await page.goto("/");
  await button("Update").waitFor();
  await look(page, "update");
  await page.getByTestId("inbox-item").click();
  await page.getByTestId("match-choice").first().waitFor();
  expect(await button("Update").count()).toBe(0);
  await agent.call("POST", `/v1/requests/${rid}/cancel`, {});
});

it("without a connection", async () => {
  await page.goto("/");
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.context().setOffline(true);
  await page.goto("/agents");
  await page.getByRole("heading", { name: "No connection" }).waitFor();
  await look(page, "offline");
  await page.context().setOffline(false);
  await page.goto("/");
  await page.getByText("Nothing waiting").last().waitFor();
  await page.context().setOffline(true);
  await page.getByText("No connection to the server").waitFor({ timeout: 30_000 });
  await look(page, "offline-notice");
  await page.context().setOffline(false);
});

it("no screen broke the content policy, ran a script of nobody's or called elsewhere", () => {
  expect(harm).toEqual([]);
});
