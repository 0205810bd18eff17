import { launchChromium } from "@countersign/test-kit/chromium";
import { runAlone } from "./auto.js";
import { runWithPerson } from "./interactive.js";
import { printable } from "./steps.js";

const browser = await launchChromium();
try {
  const desktop = process.argv.includes("--desktop");
  if (process.argv.includes("--auto")) await runAlone(browser, { desktop });
  else await runWithPerson(browser, process.env["COUNTERSIGN_URL"] ?? "http://localhost:8787");
} catch (error) {
  process.exitCode = 1;
  console.error(printable(error instanceof Error ? error.message : String(error)));
} finally {
  await browser.close();
}
