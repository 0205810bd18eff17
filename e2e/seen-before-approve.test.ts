import { sha256Text } from "@countersign/shared";
import type { SoftAgent, SoftRequest } from "@countersign/test-kit/soft-agent";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { draw } from "./support/picture.js";
import {
  approveButton,
  awake,
  openRequest,
  pickCode,
  readTheRest,
  scrollDown,
  unfoldAll,
} from "./support/reviewing.js";
import { startWorld, type World } from "./support/world.js";

// Approve wakes only after everything was on the screen, measured by an eye of the test's own.

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

const offsets = 200;
const length = 100_000;
/** A payload at every 500th character of harmless text. */
const argument = Array.from({ length: offsets }, (_, index) =>
  `<payload-${index}>`.padEnd(length / offsets, "harmless words and "),
).join("");

beforeAll(async () => {
  world = await startWorld();
  ({ page, agent } = world);
});
afterEach(async () => {
  for (const { rid } of open) await agent.call("POST", `/v1/requests/${rid}/cancel`, {});
  open = [];
});
afterAll(() => world.close());

interface Eye {
  seen: Set<number>;
  /** How many payloads had been on the screen when Approve woke. */
  seenAtWaking: number | null;
}
type WithEye = { eye: Eye };

/** In the page: notes at every frame which payloads lie between the upper edge and the bar, and when Approve wakes. */
function openEye(): void {
  const eye: Eye = { seen: new Set(), seenAtWaking: null };
  Object.assign(window, { eye });
  const ranges = new Map<number, Range>();
  const find = () => {
    ranges.clear();
    const walker = document.createTreeWalker(
      document.querySelector(".contents") as Element,
      NodeFilter.SHOW_TEXT,
    );
    while (walker.nextNode()) {
      const node = walker.currentNode as Text;
      for (const match of node.data.matchAll(/<payload-(\d+)>/g)) {
        const range = document.createRange();
        range.setStart(node, match.index);
        range.setEnd(node, match.index + match[0].length);
        ranges.set(Number(match[1]), range);
      }
    }
  };
  const look = () => {
    requestAnimationFrame(look);
    if (ranges.size < 200) find();
    const bar = document.querySelector(".decision") as Element;
    const limit = bar.getBoundingClientRect().top;
    for (const [index, range] of ranges) {
      const { top, bottom, left, right } = range.getBoundingClientRect();
      if (top >= 0 && bottom <= limit && left >= 0 && right <= innerWidth) eye.seen.add(index);
    }
    const approve = bar.querySelector<HTMLButtonElement>("button.primary");
    if (eye.seenAtWaking === null && approve && !approve.disabled) eye.seenAtWaking = eye.seen.size;
  };
  look();
}

/** What it has noted, one frame later: what just woke is noted by then. */
const eye = () =>
  page.evaluate(async () => {
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const { seen, seenAtWaking } = (window as unknown as WithEye).eye;
    return { seen: seen.size, seenAtWaking };
  });

async function openLong(): Promise<void> {
  const request = await ask({ tool: "note", args: { argument } });
  await openRequest(page, request.rid);
  await page.evaluate(openEye);
  await pickCode(page, request.matchCode);
}

it("a payload at any of 200 offsets of 100,000 characters was on the screen before Approve woke", async () => {
  expect(argument).toHaveLength(length);
  await openLong();
  await page.evaluate(scrollDown, null);
  await page.getByText("Unfold everything to approve").waitFor();
  expect(await page.getByRole("button", { name: /^Show \d+ more characters/ }).count()).toBe(1);
  expect((await eye()).seen).toBeLessThan(5);
  await unfoldAll(page);
  await page.evaluate(scrollDown, null);
  await awake(page);
  expect(await eye()).toEqual({ seen: offsets, seenAtWaking: offsets });
});

it.each([6, 97, 196])(
  "one payload that was passed over keeps Approve asleep: number %i",
  async (index) => {
    await openLong();
    await unfoldAll(page);
    const stretch = await page.evaluate((wanted) => {
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const node = walker.currentNode as Text;
        const at = node.data.indexOf(`<payload-${wanted}>`);
        if (at < 0) continue;
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + 9);
        const { top, bottom } = range.getBoundingClientRect();
        return { from: top + scrollY, to: bottom + scrollY };
      }
      throw new Error("not there");
    }, index);
    await page.evaluate(scrollDown, stretch);
    await page.waitForTimeout(1000);
    expect(await approveButton(page).isEnabled()).toBe(false);
    expect((await eye()).seen).toBeLessThan(offsets);
    await readTheRest(page);
    await awake(page);
    expect(await eye()).toEqual({ seen: offsets, seenAtWaking: offsets });
  },
);

it("a picture that imitates the app's own bar never meets the bar, at any place of the page or size", async () => {
  const size = { width: 390, height: 844 };
  const request = await ask({
    ...(await draw(page, "decision bar", size)),
    target: { rectangle: { x: 130, y: 764, width: 240, height: 60 } },
  });
  await openRequest(page, request.rid);
  await pickCode(page, request.matchCode);
  await readTheRest(page);
  await awake(page);
  const bar = page.locator(".decision");
  const edge = await bar.evaluate((element) => {
    const { borderTopWidth, borderTopColor } = getComputedStyle(element);
    const ground = getComputedStyle(document.body).backgroundColor;
    return { width: Number.parseFloat(borderTopWidth), isGround: borderTopColor === ground };
  });
  expect(edge).toEqual({ width: 8, isGround: true });

  const frame = page.locator(".picture-frame");
  const alone = async () => {
    const box = await bar.boundingBox();
    if (!box) throw new Error("no bar");
    return (await page.screenshot({ clip: box })).toString("base64");
  };
  // No button under the pointer, and none on its way from one colour to another.
  await page.mouse.move(5, 5);
  await page.evaluate(async () => {
    scrollTo(0, 0);
    await Promise.all(document.getAnimations().map(({ finished }) => finished));
  });
  const untouched = await alone();
  for (const zoomed of [false, true]) {
    if (zoomed) {
      for (let press = 0; press < 5; press++)
        await page.getByRole("button", { name: "Zoom in" }).click();
    }
    const top = await frame.evaluate((element) => element.getBoundingClientRect().top + scrollY);
    for (let shift = 0; shift < 1500; shift += 125) {
      await page.evaluate((to) => scrollTo(0, to), top - 700 + shift);
      expect(await alone(), `at ${shift}, zoomed: ${zoomed}`).toBe(untouched);
    }
  }
  // What is magnified stays in its frame, and under the finger is always the real button.
  const { under, inside } = await page.evaluate(() => {
    const approve = document.querySelector(".decision button.primary") as Element;
    const { left, top, width, height } = approve.getBoundingClientRect();
    const figure = document.querySelector(".picture-frame") as Element;
    return {
      under: document.elementFromPoint(left + width / 2, top + height / 2) === approve,
      inside: getComputedStyle(figure).overflow,
    };
  });
  expect({ under, inside }).toEqual({ under: true, inside: "hidden" });
});

it.each([
  ["cut short", (picture: Uint8Array<ArrayBuffer>) => picture.slice(0, -200)],
  [
    "damaged",
    (picture: Uint8Array<ArrayBuffer>) => picture.map((octet, at) => (at < 60 ? octet : 0)),
  ],
])(
  "a picture that is %s keeps Approve asleep, and nothing stands in its place",
  async (_, harm) => {
    const size = { width: 390, height: 300 };
    const broken = harm((await draw(page, "magenta", size)).picture);
    const request = await ask({
      picture: broken,
      screenshot: { ...size, mime: "image/png", sha256: sha256Text(broken) },
    });
    await openRequest(page, request.rid);
    await pickCode(page, request.matchCode);
    await page.getByText("The picture cannot be shown. Approve stays off.").waitFor();
    await page.evaluate(scrollDown, null);
    await page.waitForTimeout(1000);
    expect(await approveButton(page).isEnabled()).toBe(false);
  },
);

it("after anything on it has changed, Approve sleeps for 600 ms", async () => {
  const request = await ask({});
  await openRequest(page, request.rid);
  await readTheRest(page);
  await page.waitForTimeout(1000);
  const waited = await page.evaluate(async (code) => {
    const choice = [...document.querySelectorAll<HTMLButtonElement>(".pick-choice")];
    choice.find(({ textContent }) => textContent === code)?.click();
    const from = performance.now();
    const approve = document.querySelector(".decision button.primary") as HTMLButtonElement;
    while (approve.disabled) await new Promise((resolve) => setTimeout(resolve, 5));
    return performance.now() - from;
  }, request.matchCode);
  // Never earlier; how much later is the machine's affair.
  expect(waited).toBeGreaterThanOrEqual(599);
});

it("a request near its end is opened for one ceremony, not for one after another", async () => {
  const request = await ask({ seconds: 30 });
  let ceremonies = 0;
  const count = (sent: { method(): string; url(): string }) => {
    if (sent.method() === "POST" && sent.url().endsWith("/ceremony")) ceremonies++;
  };
  page.on("request", count);
  await openRequest(page, request.rid);
  await pickCode(page, request.matchCode);
  await readTheRest(page);
  await awake(page);
  // Longer than the app waits before it asks again for one that it did not get.
  await page.waitForTimeout(5_000);
  page.off("request", count);
  expect(ceremonies).toBe(1);
  expect(await approveButton(page).isEnabled()).toBe(true);
});
