import { beforeAll, expect, test } from "vitest";
import { createSoftDevice } from "../../test-kit/src/soft-device.js";
import { sealAfterPicture } from "./after-picture.js";
import { type Bytes, fromBase64url, randomId, utf8 } from "./bytes.js";
import { flipByte } from "./fixture.js";
import { sha256Text } from "./hash.js";
import { canonicalBytes } from "./json.js";
import type { Screenshot } from "./manifest.js";
import { sealContext } from "./sealed-context.js";

const rid = randomId();
const bytes = fromBase64url(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk-M_wHwAEBgIApD5fRAAAAABJRU5ErkJggg",
);
const screenshot: Screenshot = {
  sha256: sha256Text(bytes),
  mime: "image/png",
  width: 1,
  height: 1,
};
const picture = { bytes, screenshot, capturedAt: 1_800_000_000 };
let device: Awaited<ReturnType<typeof createSoftDevice>>;
beforeAll(async () => {
  device = await createSoftDevice();
});

const open = (octets: Bytes, of = rid, named = octets) =>
  device.openAfterPicture(octets, { rid: of, sealedSha256: sha256Text(named) });
const binding = { name: "ProtocolError", code: "invalid_binding" };

test("the device that it was sealed for opens it, and no other", async () => {
  const octets = await sealAfterPicture(rid, picture, [device.keys.enc_jwk]);
  expect(await open(octets)).toEqual(picture);
  const stranger = await createSoftDevice();
  const foreign = await sealAfterPicture(rid, picture, [stranger.keys.enc_jwk]);
  await expect(open(foreign)).rejects.toMatchObject({ code: "not_found" });
});

test("it belongs to the outcome that names its octets, and to no other request", async () => {
  const octets = await sealAfterPicture(rid, picture, [device.keys.enc_jwk]);
  const other = await sealAfterPicture(rid, picture, [device.keys.enc_jwk]);
  await expect(open(octets, rid, other)).rejects.toMatchObject(binding);
  await expect(open(octets, randomId())).rejects.toMatchObject(binding);
  await expect(open(flipByte(octets, 40), rid, octets)).rejects.toMatchObject(binding);
});

test("a request's context is no after-picture", async () => {
  const manifestBytes = canonicalBytes({ v: 1, captured_at: 1_800_000_000, screenshot });
  const octets = await sealContext({ manifestBytes, picture: bytes }, [device.keys.enc_jwk], rid);
  await expect(open(octets)).rejects.toMatchObject(binding);
});

test("a picture of another hash, type or size than it says is refused", async () => {
  const lies: Partial<Screenshot>[] = [
    { sha256: sha256Text(utf8("another")) },
    { mime: "image/jpeg" },
    { width: 2 },
    { height: 2 },
  ];
  for (const lie of lies) {
    const said = { ...picture, screenshot: { ...screenshot, ...lie } };
    const octets = await sealAfterPicture(rid, said, [device.keys.enc_jwk]);
    await expect(open(octets)).rejects.toMatchObject(binding);
  }
  const bare = { ...picture, bytes: utf8("no picture") };
  bare.screenshot = { ...screenshot, sha256: sha256Text(bare.bytes) };
  const octets = await sealAfterPicture(rid, bare, [device.keys.enc_jwk]);
  await expect(open(octets)).rejects.toMatchObject(binding);
});
