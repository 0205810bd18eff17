import type { Action, Json } from "@countersign/shared";
import type { Executor } from "../../gate/executor.js";
import { changedPreconditions, type Measures } from "../../preconditions/registry.js";
import { ExecutionError } from "../execution-error.js";
import { type BrowserCall, browserTools, readBrowserCall } from "./calls.js";
import { describeBrowserCall } from "./describe.js";
import { type Armed, findElement, identityHash, readPlace, writePlace } from "./look.js";
import type { BrowserPage } from "./page.js";
import { regionHash } from "./regions.js";
import { redactedScreenshot } from "./screenshot.js";

export interface BrowserOptions {
  /** A Playwright page. The model gets no other hold of it. */
  page: BrowserPage;
  /** CSS selectors of what no picture may show; password fields, one-time codes and card numbers never are. */
  hide?: readonly string[];
}

/**
 * One page of a browser: the tools `browser.*`, `keyboard.type`, `keyboard.press` and `mouse.click` of
 * `docs/actions.md`. Whatever it presses lands on the element that was looked at, or nowhere: a page that moves
 * something else under the pointer, or takes the focus away, stops it. What is within a frame is refused.
 * Its `measures` go into `createClient({ preconditions })`.
 */
export function browserExecutor({ page, hide = [] }: BrowserOptions): Executor & {
  measures: Measures;
} {
  const screenshot = () => redactedScreenshot(page, hide);
  const measures: Measures = {
    element: async (subject) => {
      const found = await findElement(page, readPlace(subject));
      await found.done();
      return identityHash(found.seen);
    },
    page_region: (subject) => regionHash(page, subject),
  };
  return {
    tools: browserTools,
    measures,
    describe: async (call) =>
      describeBrowserCall({ page, tool: call.tool, screenshot }, readBrowserCall(call)),
    async execute(action, { signal }) {
      const call = readBrowserCall(action);
      signal.throwIfAborted();
      if (call.does === "navigate") await page.goto(call.args.url);
      else await press(page, measures, call, action);
      return { value: await whereItIs(page) };
    },
  };
}

/** @throws ExecutionError `precondition_missing`, `precondition_changed`, `target_moved` */
async function press(
  page: BrowserPage,
  measures: Measures,
  call: Exclude<BrowserCall, { does: "navigate" }>,
  action: Action,
): Promise<void> {
  const subject = writePlace(call.place);
  const approved = action.preconditions.find((one) => one.kind === "element");
  if (approved?.subject !== subject) throw new ExecutionError("precondition_missing");
  const found = await findElement(page, call.place).catch((cause) => {
    throw new ExecutionError("precondition_changed", { cause });
  });
  try {
    if (identityHash(found.seen) !== approved.sha256)
      throw new ExecutionError("precondition_changed");
    const own = action.preconditions.filter(({ kind }) => Object.hasOwn(measures, kind));
    const changed = await changedPreconditions(own, measures);
    if (changed.length > 0) throw new ExecutionError("precondition_changed");
    const armed = await found.arm();
    await perform(page, call, found.seen.point, armed).finally(async () => {
      // What was stopped is told even where the rest failed.
      if ((await armed.release()) === "blocked") throw new ExecutionError("target_moved");
    });
  } finally {
    await found.done().catch(() => undefined);
  }
}

async function perform(
  { mouse, keyboard }: BrowserPage,
  call: Exclude<BrowserCall, { does: "navigate" }>,
  { x, y }: { x: number; y: number },
  armed: Armed,
): Promise<void> {
  if (call.does === "click") {
    await mouse.click(x, y, { button: call.button, clickCount: call.count });
    return;
  }
  if (call.does === "type") {
    if (call.place !== "focus") await armed.focus();
    await keyboard.type(call.text);
  }
  for (const key of call.keys) await keyboard.press(key);
}

const whereItIs = async (page: BrowserPage): Promise<Json> => ({
  url: page.url(),
  title: await page.title().catch(() => ""),
});
