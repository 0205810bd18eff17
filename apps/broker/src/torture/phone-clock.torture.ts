import { setTimeout as sleep } from "node:timers/promises";
import { launchChromium } from "@countersign/test-kit/chromium";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type AutoPhone, startAutoPhone } from "../../../../examples/desk-agent/src/auto-phone.js";
import { startTestBroker, type TestBroker } from "../testing/harness.js";
import { newLedger } from "../testing/load.js";
import { judge, newEffects, pairClient, startClient } from "./guarded.js";
import { audit, long, printTable, report } from "./report.js";

// The real app in a real browser, whose clock is wrong.

const seconds = long ? [5, -5, 3600, -3600, 86_400, -86_400] : [3600, -86_400];
const requestSeconds = 30;

let broker: TestBroker;
let browser: Awaited<ReturnType<typeof launchChromium>>;
let inviter: SoftPhone;

beforeAll(async () => {
  [broker, browser] = await Promise.all([startTestBroker(), launchChromium()]);
  inviter = await createSoftPhone({ origin: broker.site.origin });
  await inviter.enrol(broker.firstInvitation ?? "", "Ada");
});
afterAll(async () => {
  await browser.close();
  await broker.drop();
  printTable();
});

/** What the page's scripts take for the time, from the next page on. */
const setClock = ({ page }: AutoPhone, bySeconds: number): Promise<unknown> =>
  page.addInitScript((moved: number) => {
    const Right = Date;
    const now = () => Right.now() + moved;
    globalThis.Date = new Proxy(Right, {
      construct: (target, given) =>
        given.length === 0 ? new target(now()) : Reflect.construct(target, given),
      get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
    });
  }, bySeconds * 1000);

it.each(seconds)("a phone's clock off by %i s", async (bySeconds) => {
  const phone = await startAutoPhone(browser, broker.site.origin);
  await phone.enrol(await inviter.invite());
  const { client, close } = await startClient({
    ...{ origin: broker.site.origin, address: "127.0.0.1" },
  });
  await pairClient(client, {
    acceptPairing: async (link) => {
      const digits = phone.pair(link);
      return { pairingId: "", digits: () => digits };
    },
  });
  await phone.page.getByText("may now ask for your approval").waitFor();
  await setClock(phone, bySeconds);
  const effects = newEffects();
  const ledger = newLedger();
  let deadline = 0;
  const guard = (expiresInSeconds: number, answers: (code: string) => Promise<unknown>) => {
    let rid = "";
    return client.guard(
      { tool: "file.delete", args: { path: "/tmp/demo" } },
      () => {
        effects.executed.set(rid, [Date.now()]);
      },
      {
        expiresInSeconds,
        onPending: (pending) => {
          rid = pending.rid;
          deadline = pending.deadline.getTime();
          effects.deadlines.set(rid, deadline);
          ledger.requested.add(rid);
          effects.approved.add(rid);
          void answers(pending.matchCode).catch(() => {});
        },
      },
    );
  };
  const began = performance.now();
  const answer = await guard(requestSeconds * 4, (code) => phone.approve(code));
  expect(answer).toMatchObject({ status: "approved", outcome: "succeeded" });
  const took = performance.now() - began;
  // Opened in time, and answered when the time was over.
  const late = await guard(6, async (code) => {
    await sleep(Math.max(0, deadline - Date.now() + 300));
    await phone.approve(code);
  });
  expect(late.status).toBe("expired");
  await close();
  await phone.page.context().close();
  const had = judge(effects);
  const found = await audit(broker.databaseUrl, ledger);
  const remark = `executed past the deadline: ${had.late}; the first request took ${(took / 1000).toFixed(1)} s`;
  const total = { ...found, doubled: found.doubled + had.doubled, wrong: found.wrong + had.wrong };
  report(`phone's clock off by ${bySeconds} s`, 2, total, [], remark);
});
