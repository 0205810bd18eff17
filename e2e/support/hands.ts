import type { SoftAgent } from "@countersign/test-kit/soft-agent";
import type { Page } from "playwright-core";

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
