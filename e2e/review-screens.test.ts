import type { SoftAgent, SoftRequest } from "@countersign/test-kit/soft-agent";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startAutoPhone } from "../examples/desk-agent/src/auto-phone.js";
import { look } from "./support/look.js";
import { draw } from "./support/picture.js";
import { readTheRest, unfoldAll, watchForHarm } from "./support/reviewing.js";
import { startWorld, type World } from "./support/world.js";

// The review screen: every kind of contents, every answer, and what becomes of it.

let world: World;
let page: Page;
let agent: SoftAgent;
let harm: string[];

beforeAll(async () => {
  world = await startWorld();
  ({ page, agent } = world);
  harm = watchForHarm(page);
});
afterAll(() => world.close());

const button = (name: string | RegExp) => page.getByRole("button", { name });
const deny = () => page.getByRole("button", { name: "Deny", exact: true });

async function open({ rid }: SoftRequest): Promise<void> {
  await page.goto(`/requests/${rid}`);
  await deny().waitFor();
}

async function readAll(): Promise<void> {
  await unfoldAll(page);
  await readTheRest(page);
}

it("a picture, a target and a warning, from opening to the outcome", async () => {
  const { picture, screenshot } = await draw(page, "desk", { width: 1280, height: 800 });
  const request = await agent.request({
    tool: "folder.delete",
    args: { path: "/srv/reports/2016-2023", recursive: true },
    target: {
      application: "Files",
      window: "/srv/reports",
      rectangle: { x: 700, y: 420, width: 130, height: 50 },
    },
    picture,
    screenshot,
    seconds: 600,
    reasons: ["Deletes more than five files", "Outside of the project's folder"],
    agentClaim: "I am tidying up old reports, as you asked.",
  });
  await open(request);
  await page.getByTestId("target").waitFor();
  await page.getByTestId("match-choice").first().waitFor();
  await look(page, "review-picture");

  await button("Show where it would act").click();
  await look(page, "review-zoomed");
  await button("Show where it would act").click();

  const wrong = page.getByTestId("match-choice").filter({ hasNotText: request.matchCode });
  await wrong.first().click();
  await page.getByText("Not that one").waitFor();
  await look(page, "review-wrong-code");
  await page.getByTestId("match-choice").filter({ hasText: request.matchCode }).click();
  await readAll();
  await page.getByText("Look at everything, then decide").waitFor();
  await look(page, "review-ready");

  await deny().click();
  await look(page, "deny-not-now");
  await page.getByRole("radio", { name: "Wrong action" }).check();
  await look(page, "deny-wrong");
  await page.getByRole("radio", { name: "This wasn't me" }).check();
  await look(page, "deny-freeze");
  await page.keyboard.press("Escape");

  await readAll();
  await page.route("**/decisions", (route) => route.abort());
  await button(/^Approve with/).click();
  await button("Send again").waitFor();
  await look(page, "review-unsent");
  await page.unroute("**/decisions");
  await button("Send again").click();
  await page.getByText("You approved").waitFor();
  await look(page, "review-approved");
  await agent.poll(request.rid);
  await agent.call("POST", `/v1/requests/${request.rid}/outcome`, {
    outcome: await agent.outcomeOf(request, { status: "failed", code: "not_empty" }),
  });
  await page.getByTestId("outcome").waitFor();
  await look(page, "review-outcome");
});

it.each([
  [
    "command",
    {
      tool: "shell.exec",
      args: { command: "cd /srv && tar czf - reports | ssh ada@backup.example 'cat > r.tgz'" },
      cwd: "/srv/app",
      env: { LANG: "C", TOKEN: "x".repeat(70) },
    },
  ],
  [
    "change",
    {
      tool: "file.write",
      args: {
        path: "/srv/app/config/production.yaml",
        before: Array.from({ length: 40 }, (_, n) => `key_${n}: value ${n}`).join("\n"),
        content: Array.from({ length: 40 }, (_, n) =>
          n === 20 ? "debug: true" : `key_${n}: value ${n}`,
        ).join("\n"),
      },
    },
  ],
  [
    "payment",
    {
      tool: "payment.send",
      args: { amount: 1234567, currency: "EUR", payee: "Раураl Europe", reference: "4711" },
    },
  ],
  [
    "address",
    {
      tool: "http.request",
      args: {
        method: "POST",
        url: "https://пример.example.co.uk:8443/upload/a?token=abc#x",
        body: "name=Ada&file=".padEnd(3000, "data "),
      },
    },
  ],
  [
    "hostile",
    {
      tool: "unknown\u202etool",
      args: {
        "a\u200bb": "x\u202ey   z\u{e0041}",
        deep: [{ list: [[], {}, "", null, true, 0.5] }],
        html: "<img src=x onerror=alert(1)>",
      },
    },
  ],
  ["email", { tool: "email.send", args: { to: ["ada@example.org"], subject: "Hi", body: "Text" } }],
] as const)("a %s", async (name, action) => {
  const request = await agent.request(action as Parameters<SoftAgent["request"]>[0]);
  await open(request);
  await page.getByTestId("match-choice").first().waitFor();
  await look(page, `review-${name}`);
  await agent.call("POST", `/v1/requests/${request.rid}/cancel`, {});
});

it("one's own approval that waits for another person's is told as one's own, whenever it is looked at", async () => {
  await page.goto("/you");
  await button("Make an invitation link").click();
  const link = await page.getByRole("textbox", { name: "Invitation link" }).inputValue();
  const other = await startAutoPhone(world.browser, world.broker.site.origin);
  await other.enrol(link);
  await agent.pairWith({
    acceptPairing: async (offer) => {
      const digits = other.pair(offer);
      return { pairingId: "", digits: () => digits };
    },
  });
  const request = await agent.request({ quorum: 2 });
  await world.phone.approve(request.matchCode);
  await page.getByText("1 of 2 approvals").waitFor();
  await open(request);
  await page.getByText("You approved").waitFor();
  await look(page, "review-quorum");
  expect(await page.getByText("elsewhere").count()).toBe(0);
  await agent.call("POST", `/v1/requests/${request.rid}/cancel`, {});
  await other.page.context().close();
});

it("what cannot be approved says why", async () => {
  const request = await agent.request();
  await page.route(`**/app/requests/${request.rid}/context`, (route) =>
    route.fulfill({ body: "{}", contentType: "application/jose+json" }),
  );
  await open(request);
  await page.getByTestId("cannot-approve").waitFor();
  await look(page, "review-refused");
  await page.unrouteAll();
  await deny().click();
  await button("Deny this request").click();
  await page.getByText("You denied").waitFor();
  await look(page, "review-denied");
});

it("what is over says how it ended", async () => {
  const request = await agent.request();
  await open(request);
  await page.getByTestId("match-choice").first().waitFor();
  await agent.call("POST", `/v1/requests/${request.rid}/cancel`, {});
  await page.getByText("The agent withdrew").waitFor();
  await look(page, "review-withdrawn");
  await page.goto(`/requests/${request.rid}`);
  await page.getByText("The agent withdrew").waitFor();
  await look(page, "review-over");
  await page.goto("/requests/AAAAAAAAAAAAAAAAAAAAAA");
  await page.getByText("Nothing here").waitFor();
  await look(page, "review-missing");
  await page.route("**/app/requests/*", (route) => route.abort());
  await page.goto(`/requests/${request.rid}`);
  await button("Try again").waitFor();
  await look(page, "review-failed");
  await page.unrouteAll();
});

it("no screen broke the content policy, ran a script of nobody's or called elsewhere", () => {
  expect(harm).toEqual([]);
});
