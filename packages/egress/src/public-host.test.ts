import { describe, expect, it } from "vitest";
import { isPublicHost } from "./public-host.js";

const own = [
  ...["localhost", "LOCALHOST", "app.localhost", "localhost.", "intranet", "router.lan"],
  ...["printer.local", "db.internal", "x.home.arpa", "nas.home", "", ".", "a..b", "a b.com"],
  ...["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.0.1", "[::1]", "[fe80::1]", "[fd00::1]"],
  ...["[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "1.2.3.0x4"],
];
const anybodys = [
  ...[
    "example.com",
    "EXAMPLE.COM.",
    "a.b.co.uk",
    "xn--bcher-kva.de",
    "8.8.8.8",
    "[2606:4700::1111]",
  ],
  ...["local.example.com", "127.0.0.1.example.com"],
];

describe("a public host", () => {
  it.each(own)("is not %j", (host) => expect(isPublicHost(host)).toBe(false));
  it.each(anybodys)("is %j", (host) => expect(isPublicHost(host)).toBe(true));
});
