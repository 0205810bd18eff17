import type { Page } from "playwright-core";
import { expect } from "vitest";

/** What has the focus, and whether a person can tell. */
interface Focus {
  name: string;
  /** A ring around it, or a caret in it. */
  isVisible: boolean;
  /** Its middle is on the screen, and nothing lies over it. */
  isUncovered: boolean;
  isInSheet: boolean;
}

/** In the page. */
function focusNow(): Focus {
  const element = document.activeElement ?? document.body;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const { left, top, width, height } = element.getBoundingClientRect();
  const hit = document.elementFromPoint(left + width / 2, top + height / 2);
  const label = element.closest("label");
  const named = element.getAttribute("aria-label") ?? label?.textContent ?? element.textContent;
  return {
    // A new screen's heading has it so that it is read out; it is no control.
    name: element.matches("body, h1") ? "" : (named ?? "").replace(/\s+/g, " ").trim(),
    isVisible: outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2,
    isUncovered: hit !== null && (element.contains(hit) || label?.contains(hit) === true),
    isInSheet: element.closest("dialog") !== null,
  };
}

/** What is still loading, or moving, may take longer than many a key or look. */
const patienceMs = 20_000;

/** Nothing but keys, as somebody without a mouse. Whatever takes the focus has to show it, and to be in sight. */
export function keyboardOf(page: Page) {
  const press = (key: string) => page.keyboard.press(key);

  /** Waits until it shows and is in sight: a screen may still be moving below it. */
  async function focus(): Promise<Focus> {
    const until = performance.now() + patienceMs;
    for (;;) {
      const now = await page.evaluate(focusNow);
      if (now.name === "" || (now.isVisible && now.isUncovered)) return now;
      if (performance.now() > until) {
        expect(now, now.name).toMatchObject({ isVisible: true, isUncovered: true });
      }
      await page.waitForTimeout(100);
    }
  }

  /** Tabs on until the control of this name has the focus. */
  async function to(name: string | RegExp): Promise<Focus> {
    const passed = new Set<string>();
    const until = performance.now() + patienceMs;
    while (performance.now() < until) {
      await press("Tab");
      const now = await focus();
      const found = typeof name === "string" ? now.name.startsWith(name) : name.test(now.name);
      if (found) return now;
      passed.add(now.name);
    }
    throw new Error(`No Tab leads to ${name}; passed ${JSON.stringify([...passed])}`);
  }

  async function use(name: string | RegExp, key = "Enter"): Promise<void> {
    await to(name);
    await press(key);
  }

  const type = (text: string) => page.keyboard.insertText(text);

  return { press, focus, to, use, type };
}
