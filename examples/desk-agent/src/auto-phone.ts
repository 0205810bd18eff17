import { newPhone } from "@countersign/test-kit/chromium";
import type { Browser, Page } from "playwright-core";

/** A person's hands on the real web app: a browser with a virtual authenticator, and no way around a screen. */
export interface AutoPhone {
  page: Page;
  enrol(invitation: string): Promise<void>;
  /** @returns the six digits that the phone shows */
  pair(link: string): Promise<string>;
  /** Opens what waits, compares the code, scrolls through everything, approves. @returns when it was tapped */
  approve(matchCode: string): Promise<{ tappedAt: number }>;
  deny(matchCode: string, reason: string): Promise<void>;
  /** What the phone says became of the last request. */
  outcome(): Promise<string>;
}

export async function startAutoPhone(browser: Browser, origin: string): Promise<AutoPhone> {
  const { page } = await newPhone(browser, origin);

  async function openRequest(matchCode: string): Promise<void> {
    await page.goto("/");
    await page.getByTestId("inbox-item").first().click();
    // A new agent's code is not shown beside ours: it has to be found among three.
    const choices = page.getByTestId("match-choice");
    const code = page.getByTestId("match-code");
    await choices.first().or(code).waitFor();
    if (await choices.first().isVisible()) await choices.filter({ hasText: matchCode }).click();
    if ((await code.textContent())?.trim() !== matchCode) throw new Error("the match codes differ");
  }

  return {
    page,
    async enrol(invitation) {
      await page.goto(invitation);
      await page.getByRole("textbox", { name: "Your name" }).fill("Ada");
      await page.getByRole("button", { name: "Create passkey" }).click();
      await page.getByRole("button", { name: "Confirm with passkey" }).click();
      await page.getByText("You are set").waitFor();
    },
    async pair(link) {
      await page.goto("/pair");
      await page.getByRole("textbox", { name: "Pairing link" }).fill(link);
      await page.getByRole("button", { name: "Pair", exact: true }).click();
      return ((await page.getByTestId("compare-digits").textContent()) ?? "").replace(/\D/g, "");
    },
    async approve(matchCode) {
      await openRequest(matchCode);
      await scrollThrough(page);
      // Waits until the button is awake.
      await page.getByRole("button", { name: /^Approve with/ }).click();
      return { tappedAt: performance.now() };
    },
    async deny(matchCode, reason) {
      await openRequest(matchCode);
      await page.getByRole("button", { name: "Deny", exact: true }).click();
      await page.getByRole("radio", { name: "Wrong action" }).check();
      await page.getByRole("textbox", { name: "Reason" }).fill(reason);
      await page.getByRole("button", { name: "Deny this request" }).click();
    },
    outcome: async () => ((await page.getByTestId("outcome").textContent()) ?? "").trim(),
  };
}

/** As a thumb does it: every row has to have been on the screen, and what was passed too fast is gone back to. */
async function scrollThrough(page: Page): Promise<void> {
  for (let seen = -1, top = 0; top !== seen; ) {
    seen = top;
    await page.mouse.wheel(0, 300);
    await page.waitForTimeout(60);
    top = await page.evaluate(() => document.scrollingElement?.scrollTop ?? 0);
  }
  const rest = page.getByRole("button", { name: "Show what is left" });
  // Not offered before the picture is drawn, which may be after the code is there to be compared.
  await page.locator(".waits").filter({ hasNotText: "when the picture is there" }).waitFor();
  while (await rest.isVisible()) {
    // It may go while it is being aimed at.
    await rest.click({ timeout: 1_000 }).catch(() => undefined);
    await page.waitForTimeout(60);
  }
}
