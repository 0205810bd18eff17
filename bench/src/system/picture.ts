import { randomFillSync } from "node:crypto";
import { crc32, deflateSync } from "node:zlib";

/** A PNG of noise: nothing on its way can make it smaller. About three bytes for a pixel. */
export function noisePng(width: number, height: number): Uint8Array<ArrayBuffer> {
  const rows = randomFillSync(Buffer.alloc(height * (1 + width * 3)));
  for (let row = 0; row < height; row++) rows[row * (1 + width * 3)] = 0;
  const size = Buffer.alloc(8);
  size.writeUInt32BE(width);
  size.writeUInt32BE(height, 4);
  return Uint8Array.from(
    Buffer.concat([
      Buffer.from("89504e470d0a1a0a", "hex"),
      // Eight bits for each of red, green, blue.
      chunk("IHDR", Buffer.concat([size, Buffer.from([8, 2, 0, 0, 0])])),
      chunk("IDAT", deflateSync(rows, { level: 0 })),
      chunk("IEND", Buffer.alloc(0)),
    ]),
  );
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
