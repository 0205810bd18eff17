import { beforeAll, expect, test } from "vitest";
import { createSoftDevice } from "../../test-kit/src/soft-device.js";
import { type Bytes, randomBytes, randomId } from "./bytes.js";
import { flipByte } from "./fixture.js";
import { sha256Text } from "./hash.js";
import { sealContext } from "./sealed-context.js";
import { sealPicture } from "./sealed-picture.js";

const rid = randomId();
const picture = randomBytes(200);
let device: Awaited<ReturnType<typeof createSoftDevice>>;
beforeAll(async () => {
  device = await createSoftDevice();
});

const open = (octets: Bytes, of = rid, named = octets) =>
  device.openPicture(octets, { rid: of, sealedSha256: sha256Text(named) });
const binding = { name: "ProtocolError", code: "invalid_binding" };

test("the device that it was sealed for opens it, and no other", async () => {
  expect(await open(await sealPicture(rid, picture, [device.keys.enc_jwk]))).toEqual(picture);
  const stranger = await createSoftDevice();
  const foreign = await sealPicture(rid, picture, [stranger.keys.enc_jwk]);
  await expect(open(foreign)).rejects.toMatchObject({ code: "not_found" });
});

test("it is the piece that is named, octet for octet, and of no other request", async () => {
  const octets = await sealPicture(rid, picture, [device.keys.enc_jwk]);
  const other = await sealPicture(rid, picture, [device.keys.enc_jwk]);
  await expect(open(octets, rid, other)).rejects.toMatchObject(binding);
  await expect(open(octets, randomId())).rejects.toMatchObject(binding);
  await expect(open(flipByte(octets, 40), rid, octets)).rejects.toMatchObject(binding);
});

test("a request's context is no picture, nor is one with words beside the picture", async () => {
  const none = new Uint8Array();
  const context = await sealContext({ manifestBytes: none, picture }, [device.keys.enc_jwk], rid);
  await expect(open(context)).rejects.toMatchObject(binding);
  const beside = { manifestBytes: randomBytes(2), picture };
  const spoken = await sealContext(beside, [device.keys.enc_jwk], `${rid}.picture`);
  await expect(open(spoken)).rejects.toMatchObject(binding);
});
