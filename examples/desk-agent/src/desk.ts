import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Action, Client, Guarded, Measures, Pending } from "@countersign/agent-client";
import { pageRegion } from "@countersign/agent-client";
import type { Page } from "playwright-core";

/** What this agent can do. What it may do is asked each time. */
export interface Desk {
  page: Page;
  client: Client;
  /** Shown beside the agent; the phone shows the same code. */
  onPending: (pending: Pending) => void;
}

/** A folder of this agent's own making, with something in it to lose. */
export async function makeFolder(): Promise<string> {
  const folder = join(await mkdtemp(join(tmpdir(), "countersign-demo-")), "old-reports");
  await mkdir(folder);
  for (const month of ["january", "february", "march"]) {
    await writeFile(join(folder, `${month}.txt`), `Report for ${month}\n`);
  }
  return folder;
}

/** Preconditions of this desk: what the button looks like must not change between the yes and the click. */
export function deskPreconditions(page: Page): Measures {
  return {
    page_region: pageRegion(async (selector) => page.locator(selector).screenshot()),
  };
}

/** Asks to delete a folder, and deletes exactly the approved one. */
export async function deleteFolder(desk: Desk, folder: string): Promise<Guarded<void>> {
  return desk.client.guard(
    {
      tool: "folder.delete",
      args: { path: folder, recursive: true },
      preconditions: [{ kind: "tree", subject: folder }],
    },
    async (action) => rm(pathOf(action), { recursive: true }),
    {
      reasons: ["Deletes files for good"],
      agentClaim: "I am tidying up: these reports are old and nobody needs them.",
      screenshot: () => desk.page.screenshot(),
      afterPicture: () => desk.page.screenshot(),
      onPending: desk.onPending,
    },
  );
}

/** Asks to press the shop's button, and presses exactly the approved one. */
export async function pay(desk: Desk): Promise<Guarded<void>> {
  const { page } = desk;
  const selector = "#pay";
  const button = page.locator(selector);
  const box = await button.boundingBox();
  if (!box) throw new Error("the shop shows no button");
  const rectangle = {
    x: Math.floor(box.x),
    y: Math.floor(box.y),
    width: Math.ceil(box.width),
    height: Math.ceil(box.height),
  };
  return desk.client.guard(
    {
      tool: "browser.click",
      args: { selector },
      target: {
        application: "Chromium",
        window: await page.title(),
        url: page.url(),
        element: (await button.textContent()) ?? "",
        rectangle,
      },
      preconditions: [{ kind: "page_region", subject: selector }],
    },
    async (action) => page.locator(selectorOf(action)).click(),
    {
      reasons: ["Spends money"],
      agentClaim: "The lamp is what you asked for, so I am buying it.",
      screenshot: () => page.screenshot(),
      afterPicture: () => page.screenshot(),
      onPending: desk.onPending,
    },
  );
}

// The executors read the approved action and nothing else.

const pathOf = ({ args }: Action): string => textOf(args, "path");
const selectorOf = ({ args }: Action): string => textOf(args, "selector");

function textOf(args: Action["args"], member: string): string {
  const value = Object.entries(args ?? {}).find(([name]) => name === member)?.[1];
  if (typeof value !== "string") throw new Error(`the approved action has no ${member}`);
  return value;
}
