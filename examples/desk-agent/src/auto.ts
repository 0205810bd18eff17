import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Gate, Pending } from "@countersign/agent-client";
import type { Browser } from "playwright-core";
import { type AutoPhone, startAutoPhone } from "./auto-phone.js";
import { deleteReports, payBasket, readReport, searchShop, showDetails } from "./calls.js";
import { type Desk, openDesk } from "./desk.js";
import { clickOnDesktop } from "./desktop.js";
import { startOwnBroker } from "./own-broker.js";
import { openShop, type Shop } from "./shop.js";
import { require, step } from "./steps.js";

/** What happens on the phone when something is asked. */
type OnPhone = (matchCode: string) => Promise<unknown>;

interface Story {
  desk: Desk;
  gate: Gate;
  phone: AutoPhone;
  shop: Shop;
  /** How often somebody was asked in passing. */
  confirmed(): number;
  /** What the person at the phone does next, and whether it is done. */
  next(onPhone: OnPhone): { done(): Promise<unknown> };
}

/**
 * The whole story without a person: a broker of its own, and a phone played by a browser.
 * @throws Error unless green ran unasked, yellow was asked once, the folder was deleted once after its approval and
 *   put back, and the denied click never happened
 */
export async function runAlone(browser: Browser, { desktop }: { desktop: boolean }): Promise<void> {
  const broker = await startOwnBroker();
  step(`broker ready at ${broker.url}`);
  const home = await mkdtemp(join(tmpdir(), "countersign-agent-"));
  const shop = await openShop();
  try {
    const phone = await startAutoPhone(browser, broker.url);
    await phone.enrol(broker.invitation);
    step("phone: enrolled with a passkey");
    const page = await browser.newPage({ viewport: { width: 900, height: 560 } });
    await page.goto(shop.url);
    const desk = await openDesk(page, broker.url, join(home, "state"));
    await pair(desk, phone);
    const story = await openStory(desk, phone, shop);
    try {
      await unasked(story);
      await inPassing(story, () => page.getByText("40 watts").isVisible());
      await approvedDeletion(story);
      await deniedPayment(story);
    } finally {
      await story.gate.close();
      await desk.close();
    }
    if (desktop) {
      await clickOnDesktop({ brokerUrl: broker.url, home: join(home, "desktop"), phone, pair });
    }
  } finally {
    await shop.close();
    await broker.stop();
    await rm(home, { recursive: true, force: true });
  }
  step("done");
}

async function pair({ client }: Pick<Desk, "client">, phone: AutoPhone): Promise<void> {
  let digits = Promise.resolve("");
  await client.pair({
    name: "Desk agent",
    onLink: (link) => {
      digits = phone.pair(link);
    },
    confirmDigits: () => digits,
  });
  step("agent: paired, digits read from the phone's screen");
}

async function openStory(desk: Desk, phone: AutoPhone, shop: Shop): Promise<Story> {
  let asked = 0;
  let waiting: { onPhone: OnPhone; done?: Promise<unknown> } | undefined;
  const onPending = ({ matchCode }: Pending): void => {
    require(waiting !== undefined && !waiting.done, "somebody was asked who need not have been");
    step(`gate: red, a person has to approve. Code ${matchCode}`);
    waiting.done = waiting.onPhone(matchCode);
  };
  const confirm = async () => {
    asked += 1;
    return "yes" as const;
  };
  const gate = await desk.openGate({ confirm, onPending });
  return {
    ...{ desk, gate, phone, shop, confirmed: () => asked },
    next(onPhone) {
      const mine: NonNullable<typeof waiting> = { onPhone };
      waiting = mine;
      return {
        async done() {
          waiting = undefined;
          require(mine.done !== undefined, "nobody was asked");
          return mine.done;
        },
      };
    },
  };
}

async function unasked({ gate, confirmed }: Story): Promise<void> {
  for (const { call, claim } of [readReport, searchShop]) {
    const answer = await gate.run(call, { agentClaim: claim });
    const said = `${answer.status}, ${answer.decision.reasons.join(", ")}`;
    require(answer.status === "executed" && answer.tier === "green", `${call.tool}: ${said}`);
    require(answer.outcome === "succeeded" && confirmed() === 0, `${call.tool} did not succeed`);
    step(`gate: green, ${call.tool} ran unasked (${answer.decision.reasons.join(", ")})`);
  }
}

async function inPassing({ gate, confirmed }: Story, isShown: () => Promise<boolean>) {
  require(!(await isShown()), "the details were shown before");
  const answer = await gate.run(showDetails.call, { agentClaim: showDetails.claim });
  require(answer.status === "executed" && answer.tier === "yellow", "the click was not yellow");
  require(confirmed() === 1 && (await isShown()), "it was not asked about once, or not clicked");
  step(`gate: yellow, ${showDetails.call.tool} ran after a word in passing`);
}

async function approvedDeletion({ desk, gate, phone, next }: Story): Promise<void> {
  const before = await contentsOf(desk.reports);
  let tapped = Promise.resolve({ tappedAt: 0 });
  const waiting = next(async (matchCode) => {
    require(existsSync(desk.reports), "the folder was gone before anybody approved");
    tapped = phone.approve(matchCode);
    return tapped;
  });
  const answer = await gate.run(deleteReports.call, { agentClaim: deleteReports.claim });
  const resumedAt = performance.now();
  await waiting.done();
  const afterMs = Math.round(resumedAt - (await tapped).tappedAt);
  const became = "code" in answer ? `${answer.status}, ${answer.code}` : answer.status;
  require(answer.status === "approved", `it was not approved: ${became}`);
  require(answer.outcome === "succeeded", `it was approved, and ${answer.outcome}`);
  step(`agent: approved, ${afterMs} ms after the tap; verified, deleted and reported`);
  require(!existsSync(desk.reports), "the folder is still there");
  step(`phone: shows "${await phone.outcome()}"`);
  const again = await desk.client.claim(answer.rid);
  require(again.status === "reported", "the approval could be used twice");
  step("agent: the same approval cannot be used again");
  const undone = await gate.undo(answer.rid);
  require(undone.status === "undone", "it could not be undone");
  require((await contentsOf(desk.reports)) === before, "the undo did not put everything back");
  step("gate: undone, every report is back as it was");
}

async function deniedPayment({ gate, phone, shop, next }: Story): Promise<void> {
  const waiting = next((matchCode) => phone.deny(matchCode, "Wrong lamp"));
  const pay = () => gate.run(payBasket.call, { agentClaim: payBasket.claim });
  const answer = await pay();
  await waiting.done();
  require(answer.status === "denied" && answer.reason === "Wrong lamp", "it was not denied");
  require(shop.payments() === 0, "the shop was paid");
  step(`agent: denied, "${answer.reason}"; the shop got no payment`);
  const again = await pay();
  require(again.status === "refused_by_policy" &&
    again.code === "denied_before", "it was asked again");
  require(shop.payments() === 0, "the shop was paid");
  step("gate: the same click is not asked about again");
}

async function contentsOf(folder: string): Promise<string> {
  const names = (await readdir(folder)).sort();
  const texts = names.map(async (name) => [name, await readFile(join(folder, name), "utf8")]);
  return JSON.stringify(await Promise.all(texts));
}
