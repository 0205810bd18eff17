import { createECDH } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decrypt } from "http_ece";
import { describe, expect, it } from "vitest";

const file = fileURLToPath(
  new URL("../../../../shared/vectors/rfc8291/appendix-a.json", import.meta.url),
);

// Beside the repository, where the vectors are kept; elsewhere this is skipped and says so.
describe.skipIf(!existsSync(file))("RFC 8291 appendix A", () => {
  const vector = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  const browser = createECDH("prime256v1");

  it("is opened by what opens pushes in these tests", () => {
    browser.setPrivateKey(vector.ua_private, "base64url");
    expect(browser.getPublicKey("base64url")).toBe(vector.ua_public);
    const opened = decrypt(Buffer.from(vector.body, "base64url"), {
      version: "aes128gcm",
      privateKey: browser,
      authSecret: vector.auth_secret,
    });
    expect(opened.toString()).toBe(vector.plaintext);
  });

  it("is not opened after one bit changed, anywhere in it", () => {
    browser.setPrivateKey(vector.ua_private, "base64url");
    const body = Buffer.from(vector.body, "base64url");
    // The record size is bytes 16 to 19: a larger one cuts the same single record.
    for (let index = 0; index < body.length; index++) {
      if (index >= 16 && index < 20) continue;
      const changed = Buffer.from(body);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(() =>
        decrypt(changed, {
          version: "aes128gcm",
          privateKey: browser,
          authSecret: vector.auth_secret,
        }),
      ).toThrow();
    }
  });
});
