import type { Rectangle } from "@countersign/shared";
import { redactPicture } from "../../pictures/redact.js";
import { ExecutionError } from "../execution-error.js";
import type { BrowserPage } from "./page.js";

/** Fields whose content nobody should see, also where a page shows it. */
const hiddenFields =
  'input[type="password"],[autocomplete~="current-password"],[autocomplete~="new-password"],[autocomplete~="one-time-code"],[autocomplete~="cc-number"],[autocomplete~="cc-csc"],[style*="text-security"]';

/** How often a page that moves while it is pictured is pictured anew. */
const maxPictures = 3;

/**
 * The viewport, one pixel for each CSS pixel, with password fields and whatever the caller hides filled in. Where
 * such a field is within a frame, all of the frame is.
 * @param hide selectors of what must not be in a picture
 * @throws ExecutionError `screen_unstable` when what is to be hidden does not hold still
 */
export async function redactedScreenshot(
  page: BrowserPage,
  hide: readonly string[],
): Promise<Uint8Array> {
  for (let pictures = 0; pictures < maxPictures; pictures++) {
    const before = await hiddenRegions(page, hide);
    const png = await page.screenshot({ scale: "css", caret: "hide" });
    const after = await hiddenRegions(page, hide);
    if (JSON.stringify(before) === JSON.stringify(after)) return redactPicture(png, before);
  }
  throw new ExecutionError("screen_unstable");
}

async function hiddenRegions(page: BrowserPage, hide: readonly string[]): Promise<Rectangle[]> {
  const root = await page.locator(":root").elementHandle({ timeout: 2_000 });
  const boxes = (await root?.evaluate(boxesIn, { selectors: [hiddenFields, ...hide] })) ?? [];
  await root?.dispose();
  for (const frame of page.frames()) {
    if (frame === page.mainFrame()) continue;
    if (!(await holdsHidden(frame, hide))) continue;
    const element = await frame.frameElement();
    const box = await element.boundingBox();
    await element.dispose();
    if (box) boxes.push(box);
  }
  return boxes.map(({ x, y, width, height }) => {
    const [left, top] = [Math.max(0, Math.floor(x)), Math.max(0, Math.floor(y))];
    const [right, bottom] = [Math.ceil(x + width), Math.ceil(y + height)];
    return { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
  });
}

async function holdsHidden(
  frame: ReturnType<BrowserPage["frames"]>[number],
  hide: readonly string[],
): Promise<boolean> {
  for (const selector of [hiddenFields, ...hide]) {
    if ((await frame.locator(selector).count()) > 0) return true;
  }
  return false;
}

/** Runs in the page: every match, within open shadow roots too, and every field that draws dots by style alone. */
function boxesIn(
  root: Element,
  { selectors }: { selectors: string[] },
): { x: number; y: number; width: number; height: number }[] {
  const boxes: { x: number; y: number; width: number; height: number }[] = [];
  const visit = (scope: Element | ShadowRoot): void => {
    for (const element of scope.querySelectorAll("*")) {
      const isField = element.matches("input,textarea,[contenteditable]");
      const isDotted =
        isField &&
        !["", "none"].includes(getComputedStyle(element).getPropertyValue("-webkit-text-security"));
      if (isDotted || selectors.some((selector) => element.matches(selector))) {
        const { x, y, width, height } = element.getBoundingClientRect();
        boxes.push({ x, y, width, height });
      }
      if (element.shadowRoot) visit(element.shadowRoot);
    }
  };
  visit(root);
  return boxes;
}
