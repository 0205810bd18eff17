import { createInterface } from "node:readline/promises";
import { createClient } from "@countersign/agent-client";
import type { Browser } from "playwright-core";
import { renderUnicodeCompact } from "uqr";
import { deleteFolder, deskPreconditions, makeFolder, pay } from "./desk.js";
import { openShop } from "./shop.js";
import { step } from "./steps.js";

/** Against the broker that `npm start` runs, with a person at the phone. */
export async function runWithPerson(browser: Browser, brokerUrl: string): Promise<void> {
  const shop = await openShop();
  const page = await browser.newPage({ viewport: { width: 900, height: 560 } });
  await page.goto(shop.url);
  const client = await createClient({ brokerUrl, preconditions: deskPreconditions(page) });
  if ((await client.approvers()).length === 0) {
    await pairAtTerminal(client.pair);
    step("paired");
  }

  const desk = {
    page,
    client,
    onPending: ({ matchCode }: { matchCode: string }) =>
      step(`waiting for the phone; both sides show ${matchCode}`),
  };
  const folder = await makeFolder();
  step(`may I delete ${folder}?`);
  step(describe(await deleteFolder(desk, folder)));
  step("may I press Pay in the shop?");
  step(describe(await pay(desk)));
  await shop.close();
}

type Pair = Awaited<ReturnType<typeof createClient>>["pair"];

async function pairAtTerminal(pair: Pair): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    await pair({
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

type Answer = Awaited<ReturnType<typeof deleteFolder>>;

function describe(answer: Answer): string {
  switch (answer.status) {
    case "approved":
      return `approved, and ${answer.outcome}`;
    case "denied":
      return answer.reason === undefined ? "denied" : `denied: ${answer.reason}`;
    case "refused_by_policy":
    case "unreachable":
    case "integrity_mismatch":
    case "unknown":
      return `${answer.status} (${answer.code}): nothing was done`;
    case "reported":
      return "used before";
    default:
      return `${answer.status}: nothing was done`;
  }
}
