import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** A fresh self-signed certificate for names of the tests' own; nothing else trusts it. */
export function makeCertificate(names: readonly string[]): { key: string; cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const now = Date.now();
  const name = sequence(set(sequence(oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from("test")))));
  const alternatives = sequence(...names.map((dnsName) => der(0x82, Buffer.from(dnsName))));
  const body = sequence(
    der(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ecdsaWithSha256,
    name,
    sequence(utcTime(now - 3_600_000), utcTime(now + 86_400_000)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(sequence(oid(0x55, 0x1d, 0x11), der(0x04, alternatives)))),
  );
  const signature = der(0x03, Buffer.of(0), sign("sha256", body, privateKey));
  const certificate = sequence(body, ecdsaWithSha256, signature);
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64")}\n-----END CERTIFICATE-----\n`,
  };
}

/** Tag, length and contents of an ASN.1 value in DER. */
function der(tag: number, ...contents: Buffer[]): Buffer {
  const value = Buffer.concat(contents);
  const length =
    value.length < 128
      ? Buffer.of(value.length)
      : Buffer.of(0x82, value.length >> 8, value.length & 0xff);
  return Buffer.concat([Buffer.of(tag), length, value]);
}

const sequence = (...contents: Buffer[]): Buffer => der(0x30, ...contents);
const set = (...contents: Buffer[]): Buffer => der(0x31, ...contents);
const integer = (value: Buffer): Buffer => der(0x02, value);
const oid = (...bytes: number[]): Buffer => der(0x06, Buffer.from(bytes));
const ecdsaWithSha256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));

const utcTime = (milliseconds: number): Buffer => {
  const [year, month, day, hour, minute, second] = new Date(milliseconds)
    .toISOString()
    .slice(2)
    .split(/\D/);
  return der(0x17, Buffer.from(`${year}${month}${day}${hour}${minute}${second}Z`));
};
