import { mkdir } from "node:fs/promises";
import type { SoftAgent } from "@countersign/test-kit/soft-agent";
import type { Page } from "playwright-core";

const pictures = process.env["PICTURES_DIR"];
const sizes = [
  { width: 390, height: 844 },
  { width: 320, height: 568 },
];

/** Keeps a screen in both themes and two sizes, where `PICTURES_DIR` says that somebody wants to see it. */
export async function keep(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return;
  await mkdir(pictures, { recursive: true });
  for (const viewport of sizes) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(150);
      const path = `${pictures}/${name}.${viewport.width}.${colorScheme}.png`;
      await page.screenshot({ path, fullPage: true });
    }
  }
  await page.setViewportSize(sizes[0] ?? { width: 390, height: 844 });
}

/** A person's way from the agent's link to the digits, on a real screen. */
export async function pairByScreen(page: Page, agent: SoftAgent): Promise<void> {
  await agent.pairWith({
    acceptPairing: async (link: string) => {
      await page.goto("/pair");
      await page.getByRole("textbox", { name: "Pairing link" }).fill(link);
      await page.getByRole("button", { name: "Pair", exact: true }).click();
      await page.getByText("Waiting for the agent").waitFor();
      return {
        pairingId: "",
        digits: async () => (await page.getByTestId("compare-digits").textContent()) ?? "",
      };
    },
  });
  await page.getByText("may now ask for your approval").waitFor();
}
