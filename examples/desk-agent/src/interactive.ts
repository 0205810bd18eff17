import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import type { Client, Confirm, GateOutcome } from "@countersign/agent-client";
import type { Browser } from "playwright-core";
import { renderUnicodeCompact } from "uqr";
import { deleteReports, payBasket, readReport, searchShop, showDetails } from "./calls.js";
import { openDesk } from "./desk.js";
import { openShop } from "./shop.js";
import { printable, step } from "./steps.js";

/** Where the command line keeps an agent's keys too. */
const home = process.env["COUNTERSIGN_HOME"] ?? join(homedir(), ".local", "state", "countersign");

/** Against the broker that `npm start` runs, with a person at the phone. */
export async function runWithPerson(browser: Browser, brokerUrl: string): Promise<void> {
  const shop = await openShop();
  const page = await browser.newPage({ viewport: { width: 900, height: 560 } });
  await page.goto(shop.url);
  const desk = await openDesk(page, brokerUrl, home);
  if ((await desk.client.approvers()).length === 0) {
    await pairAtTerminal(desk.client);
    step("paired");
  }
  const gate = await desk.openGate({
    confirm: askAtTerminal,
    onPending: ({ matchCode }) => step(`waiting for the phone; both sides show ${matchCode}`),
  });
  try {
    for (const { call, claim } of [readReport, searchShop, showDetails, deleteReports, payBasket]) {
      step(`agent: ${call.tool}. "${claim}"`);
      const outcome = await gate.run(call, { agentClaim: claim });
      step(describe(outcome));
      if (outcome.status === "approved" && call === deleteReports.call) {
        step(`undo: ${(await gate.undo(outcome.rid)).status}`);
      }
    }
  } finally {
    await gate.close();
    await desk.close();
    await shop.close();
  }
}

const askAtTerminal: Confirm = async ({ action, reasons }, { signal }) => {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const what = printable(`${action.tool} ${JSON.stringify(action.args)} (${reasons.join(", ")})`);
    const reply = await terminal.question(`${what}\nGo on? yes/no: `, { signal });
    if (/^\s*y(es)?\s*$/i.test(reply)) return "yes";
    return /^\s*no?\s*$/i.test(reply) ? "no" : "unclear";
  } finally {
    terminal.close();
  }
};

async function pairAtTerminal(client: Client): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    await client.pair({
      name: "Desk agent",
      onLink: (link) => {
        console.log(`\nPair this agent: in the app, paste this link.\n\n  ${link}\n`);
        if (link.startsWith("https:")) console.log(renderUnicodeCompact(link));
      },
      confirmDigits: ({ signal }) => terminal.question("Digits on the phone: ", { signal }),
    });
  } finally {
    terminal.close();
  }
}

function describe(outcome: GateOutcome): string {
  switch (outcome.status) {
    case "executed":
      return `${outcome.tier}: ${outcome.outcome}`;
    case "approved":
      return `approved, and ${outcome.outcome}`;
    case "denied":
      return outcome.reason === undefined ? "denied" : `denied: ${outcome.reason}`;
    case "refused_by_policy":
    case "declined":
    case "unreachable":
    case "integrity_mismatch":
    case "unknown":
      return `${outcome.status} (${outcome.code}): nothing was done`;
    case "reported":
      return "used before";
    default:
      return `${outcome.status}: nothing was done`;
  }
}
