import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, type Pending } from "@countersign/agent-client";
import type { Browser } from "playwright-core";
import { startAutoPhone } from "./auto-phone.js";
import { deleteFolder, deskPreconditions, makeFolder, pay } from "./desk.js";
import { startOwnBroker } from "./own-broker.js";
import { openShop } from "./shop.js";
import { step } from "./steps.js";

/**
 * The whole story without a person: a broker of its own, and a phone played by a browser.
 * @throws Error unless the folder was deleted once, after its approval, and the denied click never happened
 */
export async function runAlone(browser: Browser): Promise<void> {
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
    const client = await createClient({
      brokerUrl: broker.url,
      home: join(home, "state"),
      preconditions: deskPreconditions(page),
    });
    let digits = Promise.resolve("");
    await client.pair({
      name: "Desk agent",
      onLink: (link) => {
        digits = phone.pair(link);
      },
      confirmDigits: () => digits,
    });
    step("agent: paired, digits read from the phone's screen");

    await approvedDeletion();
    await deniedPayment();

    async function approvedDeletion(): Promise<void> {
      const folder = await makeFolder();
      let tapped: Promise<{ tappedAt: number }> | undefined;
      const onPending = ({ matchCode }: Pending): void => {
        step(`agent: may I delete ${folder}? Code ${matchCode}`);
        require(existsSync(folder), "the folder was gone before anybody approved");
        tapped = phone.approve(matchCode);
      };
      const answer = await deleteFolder({ page, client, onPending }, folder);
      const resumedAt = performance.now();
      const tappedAt = (await tapped)?.tappedAt ?? resumedAt;
      step(
        `agent: ${answer.status}, ${Math.round(resumedAt - tappedAt)} ms after the tap; verified, deleted and reported`,
      );
      require(answer.status === "approved" &&
        answer.outcome === "succeeded", "it was not approved");
      require(!existsSync(folder), "the folder is still there");
      step(`phone: shows "${await phone.outcome()}"`);
      const again = await client.claim(answer.status === "approved" ? answer.rid : "");
      require(again.status === "reported", "the approval could be used twice");
      step("agent: the same approval cannot be used again");
    }

    async function deniedPayment(): Promise<void> {
      let told = Promise.resolve();
      const onPending = ({ matchCode }: Pending): void => {
        step(`agent: may I press Pay? Code ${matchCode}`);
        told = phone.deny(matchCode, "Wrong lamp");
      };
      const answer = await pay({ page, client, onPending });
      await told;
      require(answer.status === "denied" && answer.reason === "Wrong lamp", "it was not denied");
      require(shop.payments() === 0, "the shop was paid");
      step(
        `agent: denied, "${answer.status === "denied" ? answer.reason : ""}"; the shop got no payment`,
      );
    }
  } finally {
    await shop.close();
    await broker.stop();
    await rm(home, { recursive: true, force: true });
  }
  step("done");
}

function require(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(`The demo failed: ${otherwise}.`);
}
