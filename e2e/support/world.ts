import { launchChromium } from "@countersign/test-kit/chromium";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import type { Browser, Page } from "playwright-core";
import { startTestBroker, type TestBroker } from "../../apps/broker/src/testing/harness.js";
import { type AutoPhone, startAutoPhone } from "../../examples/desk-agent/src/auto-phone.js";

/** A broker, a phone in a real browser whose approver is enrolled, and an agent that is paired with it. */
export interface World {
  broker: TestBroker;
  browser: Browser;
  phone: AutoPhone;
  page: Page;
  agent: SoftAgent;
  /** Another agent, paired with the same phone. */
  pairAnother(name: string): Promise<SoftAgent>;
  close(): Promise<void>;
}

export async function startWorld(agentName = "Desk agent"): Promise<World> {
  const [broker, browser] = await Promise.all([startTestBroker(), launchChromium()]);
  const { origin } = broker.site;
  const phone = await startAutoPhone(browser, origin);
  await phone.enrol(broker.firstInvitation ?? "");
  const pairAnother = async (name: string): Promise<SoftAgent> => {
    const agent = await createSoftAgent({ origin, name });
    await agent.pairWith({
      acceptPairing: async (link) => {
        const digits = phone.pair(link);
        return { pairingId: "", digits: () => digits };
      },
    });
    await phone.page.getByText("may now ask for your approval").waitFor();
    return agent;
  };
  return {
    ...{ broker, browser, phone, page: phone.page, pairAnother },
    agent: await pairAnother(agentName),
    async close() {
      await browser.close();
      await broker.drop();
    },
  };
}
