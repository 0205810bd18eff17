import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import axeCore from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { faultsOfLayout } from "./layout-faults.js";

const folder = fileURLToPath(new URL("../artifacts/", import.meta.url));

/** WCAG 2.2, levels A and AA. */
const axeTags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

interface Variant {
  name: string;
  width: number;
  height: number;
  colorScheme: "light" | "dark";
  textPercent: number;
  axe: boolean;
  /** A picture of the screen's lower end too. */
  end: boolean;
}

const small = { width: 320, height: 568 };
const usual = { width: 390, height: 844 };

/** Every screen in both sizes and both themes, and with letters twice as large. */
const variants: readonly Variant[] = [
  { name: "320-dark", ...small, colorScheme: "dark", textPercent: 100, axe: true, end: false },
  { name: "320-light", ...small, colorScheme: "light", textPercent: 100, axe: false, end: false },
  { name: "320-text-200", ...small, colorScheme: "light", textPercent: 200, axe: false, end: true },
  { name: "390-text-200", ...usual, colorScheme: "dark", textPercent: 200, axe: false, end: false },
  { name: "390-dark", ...usual, colorScheme: "dark", textPercent: 100, axe: false, end: false },
  { name: "390-light", ...usual, colorScheme: "light", textPercent: 100, axe: true, end: true },
];

declare const axe: {
  run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
};

/**
 * Takes a screen's pictures, for people to look at, and expects of each variant that nothing overflows, is cut
 * off or lies under something else, that answers can be hit, and that axe finds nothing.
 */
export async function look(page: Page, name: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const faults: string[] = [];
  for (const variant of variants) {
    await page.setViewportSize(variant);
    await page.emulateMedia({ colorScheme: variant.colorScheme, reducedMotion: "reduce" });
    await page.evaluate(setTextSize, variant.textPercent);
    const found = await page.evaluate(faultsOfLayout);
    if (variant.axe) found.push(...(await faultsByAxe(page)));
    faults.push(...found.map((fault) => `${variant.name}: ${fault}`));
    await page.screenshot({ path: `${folder}${name}.${variant.name}.png`, scale: "css" });
    if (!variant.end || !(await page.evaluate(scrollToEnd))) continue;
    await page.screenshot({ path: `${folder}${name}.${variant.name}.end.png`, scale: "css" });
    await page.evaluate(() => scrollTo(0, 0));
  }
  // The screens that come after are looked at all the same.
  expect.soft(faults, name).toEqual([]);
}

/** In the page: letters as large as somebody set them, and what the app makes of it. */
function setTextSize(percent: number): Promise<void> {
  document.documentElement.style.fontSize = percent === 100 ? "" : `${percent}%`;
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  return frame()
    .then(frame)
    .then(() => undefined);
}

/** In the page. @returns whether there is more than fits the screen */
function scrollToEnd(): boolean {
  const { scrollHeight } = document.documentElement;
  if (scrollHeight <= innerHeight + 8 || document.querySelector("dialog[open]")) return false;
  scrollTo(0, scrollHeight);
  return true;
}

async function faultsByAxe(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeCore.source);
  const { violations } = await page.evaluate(
    (values) => axe.run({ runOnly: { type: "tag", values }, resultTypes: ["violations"] }),
    axeTags,
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
