import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { launchChromium } from "@countersign/test-kit/chromium";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestBroker, type TestBroker } from "../apps/broker/src/testing/harness.js";
import { type AutoPhone, startAutoPhone } from "../examples/desk-agent/src/auto-phone.js";

// `countersign pair` at a real terminal, typed as a person types. `script` of util-linux gives one.

const program = fileURLToPath(
  new URL("../packages/agent-client/bin/countersign.js", import.meta.url),
);
let broker: TestBroker;
let browser: Browser;
let phone: AutoPhone;
let home: string;

beforeAll(async () => {
  broker = await startTestBroker();
  browser = await launchChromium();
  phone = await startAutoPhone(browser, broker.site.origin);
  await phone.enrol(broker.firstInvitation ?? "");
  home = await mkdtemp(join(tmpdir(), "countersign-terminal-"));
});
afterAll(async () => {
  await browser.close();
  await broker.drop();
  await rm(home, { recursive: true, force: true });
});

/** @returns what the terminal shows, and a keyboard */
function pairAtTerminal() {
  // Without `exec` a shell that stays in between would meet the Ctrl-C too, and end by it whatever the program says.
  const command = `exec "${process.execPath}" "${program}" pair --broker ${broker.site.origin} --name Build --home "${home}/state"`;
  const child = spawn("script", ["-qefc", command, "/dev/null"], { stdio: "pipe" });
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
  });
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    exited,
    shown: () => shown,
    type: (text: string) => child.stdin.write(text),
    until: async (pattern: RegExp): Promise<string> => {
      await expect.poll(() => shown).toMatch(pattern);
      return pattern.exec(shown)?.[0] ?? "";
    },
  };
}

describe.runIf(process.platform === "linux")("at a terminal", () => {
  it("wrong digits are said to be wrong, and the right ones pair, with a space in them too", async () => {
    const terminal = pairAtTerminal();
    const digits = await phone.pair(await terminal.until(/http\S+\/pair#\S+(?=\s)/));
    await terminal.until(/six digits on the phone: /);
    terminal.type(`${digits === "000000" ? "000001" : "000000"}\r`);
    await terminal.until(/Not the digits that the phone shows\. 2 tries left/);
    terminal.type(`${digits.slice(0, 3)} ${digits.slice(3)}\r`);
    await terminal.until(/Paired with Ada/);
    expect(await terminal.exited).toBe(0);
  });

  it("Ctrl-C ends it with a sentence, before the phone answers and at the digits", async () => {
    const waiting = pairAtTerminal();
    await waiting.until(/Waiting for the phone/);
    waiting.type("\x03");
    expect(await waiting.exited).toBe(1);
    const asked = pairAtTerminal();
    await phone.pair(await asked.until(/http\S+\/pair#\S+(?=\s)/));
    await asked.until(/six digits on the phone: /);
    asked.type("\x03");
    expect(await asked.exited).toBe(1);
    for (const { shown } of [waiting, asked]) {
      expect(shown()).toContain("The pairing was ended");
      expect(shown()).not.toMatch(/\bat .*:\d+:\d+|Error/);
    }
  });
});
