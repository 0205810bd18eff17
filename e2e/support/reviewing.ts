import type { Page } from "playwright-core";
import { expect } from "vitest";

/** A person's hands on one request, by touch. */
export const approveButton = (page: Page) => page.getByRole("button", { name: /^Approve with/ });

/** Opens a request that can be approved, and waits until its contents stand. */
export async function openRequest(page: Page, rid: string): Promise<void> {
  await page.goto(`/requests/${rid}`);
  await page.getByTestId("match-choice").first().waitFor();
}

export async function pickCode(page: Page, matchCode: string): Promise<void> {
  await page.getByTestId("match-choice").filter({ hasText: matchCode }).click();
}

export async function unfoldAll(page: Page): Promise<void> {
  const folded = page.locator("[data-folded]");
  while ((await folded.count()) > 0) await folded.first().click();
}

/** By the app's own way to what was not on the screen yet. */
export async function readTheRest(page: Page): Promise<void> {
  const rest = page.getByRole("button", { name: "Show what is left" });
  // Not offered before the picture is drawn, which may be after the code is there to be picked.
  await page.locator(".waits").filter({ hasNotText: "when the picture is there" }).waitFor();
  while (await rest.isVisible()) {
    // It may go while it is being aimed at.
    await rest.click({ timeout: 1_000 }).catch(() => undefined);
    await page.waitForTimeout(40);
  }
}

/** @returns what happened that no text may ever cause: scripts, dialogues, calls elsewhere, policy reports */
export function watchForHarm(page: Page): string[] {
  const harm: string[] = [];
  page.on("dialog", (dialog) => {
    harm.push(`dialogue: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (/content security policy|trusted ?type/i.test(message.text())) harm.push(message.text());
  });
  page.on("pageerror", (error) => harm.push(`script: ${error.message}`));
  page.on("popup", (popup) => harm.push(`popup: ${popup.url()}`));
  page.on("request", (request) => {
    const { origin } = new URL(page.url() === "about:blank" ? request.url() : page.url());
    const url = new URL(request.url());
    if (url.origin !== origin && url.protocol !== "blob:") harm.push(`call: ${url.href}`);
  });
  return harm;
}

export const awake = (page: Page): Promise<void> =>
  expect.poll(() => approveButton(page).isEnabled()).toBe(true);

/** In the page: down to the end as fast as frames come, past one stretch without stopping there. */
export async function scrollDown(skip: { from: number; to: number } | null): Promise<void> {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const bar = document.querySelector(".decision") as Element;
  const step = bar.getBoundingClientRect().top - 60;
  for (let top = 0; top < document.documentElement.scrollHeight; top += step) {
    const [begin, end] = [top, top + step + 60];
    if (skip && end > skip.from && begin < skip.to) continue;
    scrollTo(0, top);
    await frame();
    await frame();
  }
  scrollTo(0, document.documentElement.scrollHeight);
  await frame();
  await frame();
}
