import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Text } from "@countersign/shared";
import { startBrokerProcess } from "@countersign/test-kit/broker-process";
import { launchChromium } from "@countersign/test-kit/chromium";
import { createSoftAgent } from "@countersign/test-kit/soft-agent";
import { startAutoPhone } from "../../../examples/desk-agent/src/auto-phone.js";
import { interleave, median, ratioOf } from "../measure.js";
import { atMost, milliseconds, noGoal, type Row } from "../row.js";
import { type Shown, serveBarePage, slowDown, timeToShow } from "../system/page.js";
import { noisePng } from "../system/picture.js";

const marker = "/srv/old-releases-to-delete";

/** The review screen on a slow phone and a poor line, against a bare page with as much to show. */
export const web: Row = {
  name: "web",
  async run(bench) {
    const server = await bench.databases();
    const broker = await startBrokerProcess({ DATABASE_URL: await server.database() });
    const browser = await launchChromium();
    const phone = await startAutoPhone(browser, broker.origin);
    await phone.enrol(broker.firstInvitation ?? "");
    const agent = await createSoftAgent({ origin: broker.origin });
    await agent.pairWith({
      acceptPairing: async (link) => {
        const digits = phone.pair(link);
        return { pairingId: "", digits: () => digits };
      },
    });
    await phone.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));

    const [width, height] = [300, 290];
    const picture = noisePng(width, height);
    const screenshot = { sha256: sha256Text(picture), mime: "image/png" as const, width, height };
    const args = { path: marker };
    const { rid } = await agent.request({ args, picture, screenshot, seconds: 590 });
    const url = `${broker.origin}/requests/${rid}`;

    const folder = await mkdtemp(join(tmpdir(), "countersign-bench-"));
    const bare = await serveBarePage(["file.delete", marker], picture, folder);

    const installed = phone.page;
    await slowDown(await installed.context().newCDPSession(installed));
    // A new page of the same phone, past its service worker and its cache.
    const cold = await installed.context().newPage();
    const coldCdp = await cold.context().newCDPSession(cold);
    await slowDown(coldCdp);
    await coldCdp.send("Network.setCacheDisabled", { cacheDisabled: true });
    await coldCdp.send("Network.setBypassServiceWorker", { bypass: true });
    try {
      const found = await interleave<"bare" | "installed" | "cold", Shown>(bench.smoke ? 1 : 5, {
        installed: () => timeToShow(installed, url, marker),
        bare: () => timeToShow(cold, bare.origin, marker),
        cold: () => timeToShow(cold, url, marker),
      });
      const times = (name: keyof typeof found, what: keyof Shown) =>
        found[name].map((shown) => shown[what]);
      const line = (
        name: "installed" | "cold",
        what: keyof Shown,
        title: string,
        goal: number,
      ) => ({
        what: `${title}, ${name === "installed" ? "installed app" : "nothing cached"}`,
        ours: milliseconds(median(times(name, what))),
        against: `a bare Preact page ${milliseconds(median(times("bare", what)))}`,
        ratio: ratioOf(times(name, what), times("bare", what)),
        goal: name === "installed" ? atMost(goal) : noGoal,
      });
      return {
        lines: [
          line("installed", "text", "request's text on screen", 1.5),
          line("installed", "picture", "picture of 256 KiB on screen", 1.2),
          line("cold", "text", "request's text on screen", 1.5),
          line("cold", "picture", "picture of 256 KiB on screen", 1.2),
          {
            what: "the text does not wait for the picture, installed app",
            ours: milliseconds(median(times("installed", "text"))),
            against: `picture ${milliseconds(median(times("installed", "picture")))}`,
            ratio: ratioOf(times("installed", "text"), times("installed", "picture")),
            goal: atMost(0.6),
          },
        ],
      };
    } finally {
      bare.close();
      await browser.close();
      await broker.stop();
      await rm(folder, { recursive: true });
    }
  },
};
