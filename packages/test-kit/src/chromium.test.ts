import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copyPasskeys, launchChromium, newPhone } from "./chromium.js";

const site = createServer((_request, response) => {
  response.setHeader("content-type", "text/html").end("<title>phone</title><span>text</span>");
});
let browser: Browser;
let origin: string;

beforeAll(async () => {
  browser = await launchChromium();
  await new Promise<void>((resolve) => site.listen(0, "localhost", resolve));
  origin = `http://localhost:${(site.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await browser?.close();
  site.close();
});

const createPasskey = async () => {
  const credential = (await navigator.credentials.create({
    publicKey: {
      rp: { name: "test" },
      user: { id: new Uint8Array([1]), name: "a", displayName: "a" },
      challenge: new Uint8Array(32),
      pubKeyCredParams: [{ type: "public-key", alg: -7 }],
      authenticatorSelection: { userVerification: "required", residentKey: "required" },
    },
  })) as PublicKeyCredential;
  const data = new Uint8Array(
    (credential.response as AuthenticatorAttestationResponse).getAuthenticatorData(),
  );
  return { id: credential.id, flags: data[32] ?? 0 };
};

const usePasskey = async () => {
  const credential = await navigator.credentials.get({
    publicKey: { challenge: new Uint8Array(32), userVerification: "required" },
  });
  return credential?.id;
};

test("a phone makes a passkey with user verification and backup eligibility, and another one of the same person uses it", async () => {
  const first = await newPhone(browser, origin);
  await first.page.goto("/");
  const { id, flags } = await first.page.evaluate(createPasskey);
  const [userPresent, userVerified, backupEligible] = [0x01, 0x04, 0x08];
  expect(flags & (userPresent | userVerified | backupEligible)).toBe(0x0d);

  const second = await newPhone(browser, origin);
  await second.page.goto("/");
  await copyPasskeys(first, second);
  expect(await second.page.evaluate(usePasskey)).toBe(id);
});

test("text is drawn", async () => {
  const { page } = await newPhone(browser, origin);
  await page.goto("/");
  const box = await page.locator("span").boundingBox();
  expect(box?.width).toBeGreaterThan(10);
});
