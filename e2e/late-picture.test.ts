import type { SoftAgent, SoftRequest } from "@countersign/test-kit/soft-agent";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { draw } from "./support/picture.js";
import { approveButton, awake, pickCode, readTheRest, scrollDown } from "./support/reviewing.js";
import { startWorld, type World } from "./support/world.js";

// A picture comes in a piece of its own, later than the text. Approve wakes only after it was there and on the screen.

let world: World;
let page: Page;
let agent: SoftAgent;
let open: SoftRequest[] = [];

/** Asks; after the test nothing of it waits any more. */
async function ask(given: Parameters<SoftAgent["request"]>[0]) {
  const request = await agent.request({ seconds: 600, ...given });
  open.push(request);
  return request;
}

/** Keeps the picture's piece on its way. @returns what lets it arrive */
async function holdPicture(rid: string): Promise<() => void> {
  let arrive = (): void => undefined;
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  await page.route(`**/app/requests/${rid}/contexts/*`, async (route) => {
    await arrived;
    await route.continue();
  });
  return arrive;
}

/** More than a screen of text below the picture. */
const reasons = Array.from(
  { length: 30 },
  (_, index) => `${index} ${"words of a rule ".repeat(20)}`,
);

beforeAll(async () => {
  world = await startWorld();
  ({ page, agent } = world);
});
afterEach(async () => {
  for (const { rid } of open) await agent.call("POST", `/v1/requests/${rid}/cancel`, {});
  open = [];
});
afterAll(() => world.close());

it("the text stands before its picture is there, and whoever passed its empty place has not seen it", async () => {
  const { picture, screenshot } = await draw(page, "desk", { width: 390, height: 300 });
  const request = await ask({ picture, screenshot, reasons, args: { path: "/srv/early" } });
  const arrive = await holdPicture(request.rid);
  await page.goto(`/requests/${request.rid}`);
  await page.getByText("/srv/early").first().waitFor();
  const toTheEnd = async () => {
    const atEnd = () =>
      page.evaluate(() => {
        const { scrollHeight } = document.documentElement;
        window.scrollBy({ top: 150, behavior: "instant" });
        return window.scrollY + window.innerHeight >= scrollHeight - 1;
      });
    while (!(await atEnd())) await page.waitForTimeout(20);
  };
  await toTheEnd();
  await page.getByText("Approve wakes when the picture is there").waitFor();
  expect(await approveButton(page).isEnabled()).toBe(false);
  expect(await page.getByRole("button", { name: "Deny" }).isEnabled()).toBe(true);
  expect(await page.locator(".picture img").count()).toBe(0);
  arrive();
  await pickCode(page, request.matchCode);
  await page.getByText("Not everything seen yet.").waitFor();
  await page.waitForTimeout(1000);
  expect(await approveButton(page).isEnabled()).toBe(false);
  await readTheRest(page);
  await awake(page);
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

it("a picture that cannot be fetched for now takes neither the text away nor the no", async () => {
  const { picture, screenshot } = await draw(page, "desk", { width: 390, height: 300 });
  const request = await ask({ picture, screenshot, args: { path: "/srv/far" } });
  const pieces = `**/app/requests/${request.rid}/contexts/*`;
  let failed = 0;
  await page.route(pieces, async (route) => {
    failed++;
    await (failed === 1 ? route.abort() : route.fulfill({ status: 503 }));
  });
  await page.goto(`/requests/${request.rid}`);
  await expect.poll(() => failed).toBeGreaterThan(1);
  await page.getByText("/srv/far").first().waitFor();
  expect(await page.getByRole("button", { name: "Deny" }).isEnabled()).toBe(true);
  expect(await approveButton(page).isEnabled()).toBe(false);
  await page.unroute(pieces);
  await pickCode(page, request.matchCode);
  await readTheRest(page);
  await awake(page);
});

it.each([
  ["", 100],
  // Then the line below it is as high as the buttons that come to stand there: the frame does not grow.
  [", in large letters", 300],
])(
  "a picture that was drawn only after its place had gone by has not been seen%s",
  async (_, percent) => {
    const usual = page.viewportSize() ?? { width: 390, height: 844 };
    if (percent > 100) await page.setViewportSize({ width: 1600, height: usual.height });
    const { picture, screenshot } = await draw(page, "desk", { width: 390, height: 300 });
    const request = await ask({
      picture,
      screenshot,
      reasons,
      args: { path: "/srv/slow" },
      target: { rectangle: { x: 20, y: 20, width: 90, height: 40 } },
    });
    await page.addInitScript((rid) => {
      if (!location.pathname.endsWith(rid)) return;
      const { createImageBitmap: make } = window;
      const told = new Promise((resolve) => addEventListener("draw", resolve, { once: true }));
      const late = async (image: Blob) => {
        await told;
        return make(image);
      };
      Object.assign(window, { createImageBitmap: late });
    }, request.rid);
    await page.goto(`/requests/${request.rid}`);
    await page.locator(".picture img").waitFor();
    await page.evaluate((size) => {
      document.documentElement.style.fontSize = `${size}%`;
    }, percent);
    await pickCode(page, request.matchCode);
    await page.evaluate(scrollDown, null);
    await page.getByText("Approve wakes when the picture is there").waitFor();
    await page.evaluate(() => dispatchEvent(new Event("draw")));
    await page.getByRole("button", { name: "Zoom in" }).waitFor();
    await page.waitForTimeout(1500);
    expect(await approveButton(page).isEnabled()).toBe(false);
    await readTheRest(page);
    await awake(page);
    await page.setViewportSize(usual);
  },
);

it("looking at what is settled makes nobody used to its agent", async () => {
  const request = await ask({ args: { path: "/srv/settled" } });
  await agent.call("POST", `/v1/requests/${request.rid}/cancel`, {});
  await page.goto(`/requests/${request.rid}`);
  await page.getByText("/srv/settled").first().waitFor();
  await page.waitForTimeout(500);
  const noted = await page.evaluate(() => localStorage.getItem("countersign.arrivals"));
  expect(noted ?? "").not.toContain(request.rid);
});

it("a text stands no longer than its screen: what failed meanwhile is not shown over by it", async () => {
  const request = await ask({ args: { path: "/srv/late" } });
  // The log's part of the app is gone, as after an update of the server, and the context comes later than that.
  await page.route("**/assets/log-*.js", (route) => route.abort());
  await page.route(`**/app/requests/${request.rid}/context`, async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await route.continue();
  });
  await page.evaluate(async () => {
    for (const worker of await navigator.serviceWorker.getRegistrations())
      await worker.unregister();
    for (const name of await caches.keys()) await caches.delete(name);
  });
  await page.goto(`/requests/${request.rid}`);
  await page.waitForTimeout(3000);
  await page.getByRole("button", { name: "Try again" }).waitFor();
  expect(await approveButton(page).count()).toBe(0);
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

/** In the page: an agent that this phone has known for days, so that its codes are only compared from now on. */
async function growOld(agentJkt: string): Promise<void> {
  const at = Math.floor(Date.now() / 1000) - 3 * 24 * 3600;
  const before = ["one", "two", "three"].map((rid) => ({
    rid,
    agent: agentJkt,
    at,
    wrongPicks: 0,
  }));
  localStorage.setItem("countersign.arrivals", JSON.stringify(before));
  const opening = indexedDB.open("countersign");
  await new Promise((resolve) => {
    opening.onsuccess = resolve;
  });
  const agents = opening.result.transaction("agents", "readwrite").objectStore("agents");
  const reading = agents.getAll();
  await new Promise<void>((resolve) => {
    reading.onsuccess = () => {
      for (const one of reading.result) agents.put({ ...one, paired_at: at });
    };
    agents.transaction.oncomplete = () => resolve();
  });
  opening.result.close();
}

it("a picture that came behind an open sheet has not been seen when the sheet closes", async () => {
  const { picture, screenshot } = await draw(page, "desk", { width: 390, height: 300 });
  const request = await ask({ picture, screenshot, reasons, args: { path: "/srv/behind" } });
  const arrive = await holdPicture(request.rid);
  await page.evaluate(growOld, agent.clientId);
  await page.goto(`/requests/${request.rid}`);
  await page.getByText("/srv/behind").first().waitFor();
  await page.evaluate(scrollDown, null);
  await page.getByText("Approve wakes when the picture is there").waitFor();
  await page.getByRole("button", { name: "Deny" }).click();
  await page.getByRole("dialog").waitFor();
  arrive();
  // Drawn, and below it the place of the buttons by which it is magnified.
  await page.getByRole("button", { name: "Zoom in", includeHidden: true }).waitFor();
  await page.waitForTimeout(1000);
  await page.getByRole("dialog").getByRole("button", { name: "Back" }).click();
  await page.waitForTimeout(1500);
  expect(await approveButton(page).isEnabled()).toBe(false);
  await readTheRest(page);
  await awake(page);
  await page.unrouteAll({ behavior: "ignoreErrors" });
});
