import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type CDPSession,
  chromium,
  type Page,
} from "playwright-core";
import { packagedChromium } from "./packaged-chromium.js";

/** Headless Chromium: the one that npm ships (Linux x64), or the installed one that `CHROME_PATH` names. */
export async function launchChromium(): Promise<Browser> {
  const installed = process.env["CHROME_PATH"];
  const { executablePath, env } = installed
    ? { executablePath: installed, env: {} }
    : await packagedChromium();
  return chromium.launch({
    executablePath,
    env: { ...process.env, ...env },
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
}

export type Phone = {
  context: BrowserContext;
  page: Page;
  cdp: CDPSession;
  authenticatorId: string;
};

/**
 * A phone: a touch screen of its own storage, with a platform authenticator that says yes to every ceremony.
 *
 * @param origin has to be on `localhost`: WebAuthn takes no IP address for a domain
 * @param options beside or instead of the defaults: `colorScheme`, `reducedMotion`, another viewport
 */
export async function newPhone(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<Phone> {
  const context = await browser.newContext({
    baseURL: origin,
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
    ...options,
  });
  const page = await context.newPage();
  return { context, page, ...(await addAuthenticator(page)) };
}

/** An authenticator belongs to a page: on a page without one a ceremony hangs. UV can be switched off with `WebAuthn.setUserVerified`. */
export async function addAuthenticator(
  page: Page,
): Promise<{ cdp: CDPSession; authenticatorId: string }> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      ctap2Version: "ctap2_1",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      hasPrf: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      defaultBackupEligibility: true,
      defaultBackupState: true,
    },
  });
  return { cdp, authenticatorId };
}

/** One person's second page or second device: the passkeys of `from`, as a synced account would bring them. */
export async function copyPasskeys(from: Phone, to: Phone): Promise<void> {
  const { credentials } = await from.cdp.send("WebAuthn.getCredentials", {
    authenticatorId: from.authenticatorId,
  });
  for (const credential of credentials) {
    await to.cdp.send("WebAuthn.addCredential", {
      authenticatorId: to.authenticatorId,
      credential,
    });
  }
}
