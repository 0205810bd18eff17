import { launchChromium, newPhone, type Phone } from "@countersign/test-kit/chromium";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import { type Browser, devices, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestBroker, type TestBroker } from "../apps/broker/src/testing/harness.js";
import { codeOf, holdBeforeCamera } from "./support/camera.js";
import { look } from "./support/look.js";
import { readTheRest, watchForHarm } from "./support/reviewing.js";

// From an invitation to a paired agent, screen by screen, as people see them.

let broker: TestBroker;
let browser: Browser;
let phone: Phone;
let page: Page;
let agent: SoftAgent;
let harm: string[];

beforeAll(async () => {
  [broker, browser] = await Promise.all([startTestBroker(), launchChromium()]);
  phone = await newPhone(browser, broker.site.origin);
  page = phone.page;
  harm = watchForHarm(page);
  agent = await createSoftAgent({ origin: broker.site.origin, name: "Desk agent" });
});
afterAll(async () => {
  await browser.close();
  await broker.drop();
});

/** In the page: the person closes the next passkey dialogue. */
function cancelOnce(): void {
  const container = navigator.credentials;
  const create = container.create.bind(container);
  container.create = async () => {
    container.create = create;
    throw new DOMException("", "NotAllowedError");
  };
}

const button = (name: string | RegExp) => page.getByRole("button", { name });

it("somebody who is not signed in", async () => {
  await page.goto("/");
  await button("Sign in with passkey").waitFor();
  await look(page, "sign-in");
  await page.goto("/enrol");
  await button("Continue").waitFor();
  await look(page, "enrol-code");
  await page.getByRole("textbox", { name: "Invitation" }).fill("XXXX-XXXX-XXXX-XXXX");
  await button("Continue").click();
  await page.getByRole("alert").filter({ hasText: /./ }).waitFor();
  await look(page, "enrol-code-wrong");
});

it.each([
  ["ios", "iPhone 15", "Tap Share"],
  ["android", "Pixel 7", "Open the browser's menu"],
] as const)("the way to the home screen on %s", async (way, device, words) => {
  const { defaultBrowserType: _, ...emulation } = devices[device] ?? {};
  const other = await newPhone(browser, broker.site.origin, { ...emulation, deviceScaleFactor: 1 });
  await other.page.goto(broker.firstInvitation ?? "");
  await other.page.getByText(words).waitFor();
  await look(other.page, `install-${way}`);
  await other.context.close();
});

it("enrolling", async () => {
  await page.goto(broker.firstInvitation ?? "");
  await page.getByRole("textbox", { name: "Your name" }).waitFor();
  await look(page, "enrol-name");
  await page.evaluate(cancelOnce);
  await page.getByRole("textbox", { name: "Your name" }).fill("Ada Lovelace");
  await button("Create passkey").click();
  await page.getByText("The passkey was not used").waitFor();
  await look(page, "enrol-canceled");
  await button("Create passkey").click();
  await button("Confirm with passkey").waitFor();
  await look(page, "enrol-confirm");
  await button("Confirm with passkey").click();
  await page.getByText("You are set").waitFor();
  await look(page, "enrol-done");
});

it("alerts, before there are any", async () => {
  await page.goto("/alerts");
  await page.getByRole("heading", { name: "Let requests reach you" }).waitFor();
  await look(page, "alerts-step");
});

it("practising: one no and one yes", async () => {
  await page.goto("/practice");
  await page.getByText("Practice 1 of 2").waitFor();
  await button("Deny").waitFor();
  await look(page, "practice-deny");
  await button("Deny").click();
  await button("Deny this request").click();
  await button("Continue").waitFor();
  await look(page, "practice-denied");
  await button("Continue").click();
  await page.getByText("Practice 2 of 2").waitFor();
  await look(page, "practice-approve");
  await readTheRest(page);
  await button(/^Approve with/).click();
  await button("Continue").waitFor();
  await look(page, "practice-approved");
  await button("Continue").click();
  await page.getByText("Well done").waitFor();
  await look(page, "practice-done");
});

it("an inbox that no agent can reach", async () => {
  await page.goto("/");
  await page.getByText("No agent is paired").waitFor();
  await look(page, "inbox-no-agents");
  await page.goto("/agents");
  await page.getByText("No agents yet").waitFor();
  await look(page, "agents-none");
  await page.goto("/history");
  await page.getByText("Nothing yet").waitFor();
  await look(page, "history-none");
});

it("pairing", async () => {
  await page.goto("/pair");
  const field = page.getByRole("textbox", { name: "Pairing link" });
  await field.waitFor();
  await look(page, "pair");
  await field.fill("https://elsewhere.example/pair#x");
  await page.getByText("This is not a pairing link").waitFor();
  await look(page, "pair-wrong-link");
  await agent.pairWith({
    acceptPairing: async (link) => {
      // First another code, as a camera sees them lying about; then the right one.
      await page.evaluate(holdBeforeCamera, codeOf("https://elsewhere.example/"));
      await button("Scan with the camera").click();
      await page.getByText("That is another code").waitFor();
      await look(page, "pair-camera");
      await button("Stop the camera").click();
      await page.evaluate(holdBeforeCamera, codeOf(link));
      await button("Scan with the camera").click();
      await button("Pair").waitFor();
      await look(page, "pair-offer");
      await button("Pair").click();
      await page.getByText("Waiting for the agent").waitFor();
      await look(page, "pair-waiting");
      return {
        pairingId: "",
        digits: async () => {
          const digits = await page.getByTestId("compare-digits").textContent();
          await look(page, "pair-digits");
          return digits ?? "";
        },
      };
    },
  });
  await page.getByText("may now ask for your approval").waitFor();
  await look(page, "pair-done");
  await page.goto("/");
  await page.getByText("Nothing waiting").last().waitFor();
  await look(page, "inbox-empty");
  expect(await page.getByText("No agent is paired").count()).toBe(0);
});

it("no screen broke the content policy, ran a script of nobody's or called elsewhere", () => {
  expect(harm).toEqual([]);
});
