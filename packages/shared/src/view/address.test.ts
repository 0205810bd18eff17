import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exhaustive, valuesOf, viewOf } from "./fixture.js";
import { readHost } from "./host.js";

const read = (url: string) => {
  const view = viewOf("browser.navigate", { url });
  return {
    host: valuesOf(view, "host")[0],
    domain: valuesOf(view, "domain")[0],
    letters: view.find(([label]) => label.endsWith("in letters"))?.[1],
    warnings: valuesOf(view, "warning").join("\n"),
  };
};

describe("where an address leads", () => {
  test.each([
    ["https://login.bank.co.uk/x", "login.bank.co.uk", "bank.co.uk"],
    ["https://paypal.com.evil.example/paypal.com", "paypal.com.evil.example", "evil.example"],
    ["https://paypal.com@evil.example", "evil.example", "evil.example"],
    ["https://a:b@c@evil.example/", "evil.example", "evil.example"],
    ["https://user.github.io", "user.github.io", "user.github.io"],
    ["https://x.user.github.io", "x.user.github.io", "user.github.io"],
    ["https://EXAMPLE.com:443", "example.com", "example.com"],
    ["https://a.city.kawasaki.jp", "a.city.kawasaki.jp", "city.kawasaki.jp"],
    ["https://a.b.c.kawasaki.jp", "a.b.c.kawasaki.jp", "b.c.kawasaki.jp"],
    ["https://localhost/", "localhost", undefined],
    ["https://co.uk/", "co.uk", undefined],
    ["https://192.168.1.1/", "192.168.1.1", undefined],
    ["https://[::1]:8443/", "[::1]", undefined],
    ["https://bücher.example", "xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["https://evil.com。good.example/", "evil.com.good.example", "good.example"],
  ])("%s", (url, host, domain) => {
    expect(read(url)).toMatchObject({ host, domain });
  });
});

describe("what is written to be misread is said", () => {
  test.each([
    ["http://a.example", "Not encrypted"],
    ["https://paypal.com@evil.example", "⟪paypal.com⟫ before the @ is a user name"],
    ["https://a.example:8443", "Not the usual port: ⟪8443⟫"],
    ["javascript:alert(1)", "Not an address of the web: it opens with ⟪javascript⟫"],
    ["file:///etc/passwd", "Not an address of the web"],
    ["data:text/html,x", "Not an address of the web"],
    ["https:evil.example", "Written without //"],
    ["https:/evil.example", "Written without //"],
    ["https:\\\\evil.example", "Written without //"],
    ["https:///evil.example", "programs differ"],
    ["https:///\\evil.example", "programs differ"],
    ["https://good.example\\@evil.example", "programs differ"],
    ["https://good.example\n.evil.example", "programs differ"],
    ["https://a b.example", "programs differ"],
    ["https://a.example:80:90", "programs differ"],
    ["https://%65vil.example", "Percent signs in the host"],
    ["https://2130706433", "A number in place of a host"],
    ["https://0x7f.1", "A number in place of a host"],
    ["https://127.1", "A number in place of a host"],
    ["https://0177.0.0.1", "A number in place of a host"],
    ["https://１２７.0.0.1", "programs replace by others"],
    ["https://paypaⅼ.com", "programs replace by others"],
    ["https://straße.example", "programs replace by others"],
    ["https://e\u0301.example", "programs replace by others"],
    ["https://PAYPАL.com", "programs replace by others"],
    ["https://раураl.com", "⟪раураl⟫ reads like ⟪paypal⟫"],
    ["https://xn--80ak6aa92e.com", "reads like ⟪appie⟫"],
    ["https://goοgle.com", "different scripts in one word"],
    ["https://אבג.example", "from right to left"],
    ["https://192.0.2.1", "A bare address"],
    ["//evil.example", "Not a whole address"],
    ["evil.example", "Not a whole address"],
    ["https://-.example", "Not a host that every program reads alike"],
    ["https://a..example", "Not a host that every program reads alike"],
    ["https://a\u200b.example", "programs replace by others"],
    ["https://a\u0009.example", "programs differ"],
    ["https://127。1", "A number in place of a host"],
  ])("%s", (url, warning) => {
    expect(read(url).warnings).toContain(warning);
  });

  test("and an honest address is not cried wolf over", () => {
    for (const url of [
      "https://example.com/a?b#c",
      "https://a.b.example.co.uk:443/@me",
      "https://例え.jp",
    ]) {
      expect(read(url).warnings).toBe("");
    }
  });

  test("punycode is shown beside letters, whichever way it was written", () => {
    expect(read("https://xn--bcher-kva.example").letters).toBe("bücher.example");
    expect(read("https://bücher.example").letters).toBe("bücher.example");
    expect(read("https://xn--bcher-kva.xn--a").host).toBe("xn--bcher-kva.xn--a");
  });
});

test("where a host is told, a browser goes to that very host or nowhere", () => {
  const piece = fc.constantFrom(
    ..."a b.example evil . .. / // \\ : @ ? # % %2e %40 [ ] ::1 0x7f 1 127.0.0.1 xn-- xn--80ak6aa92e bücher ß ς ı İ K ㎏ ﬁ 。 ．e раураl \t \n \u00ad \u200d é e\u0301 אב 한 ¨ ﷺ ℀ ︒ _ - ~ ! $ & ' ( ) * + , ; =".split(
      " ",
    ),
  );
  fc.assert(
    fc.property(
      fc.constantFrom("https:", "http:", "https://", "https://", "https://", "ws://"),
      fc.array(piece, { maxLength: 7 }),
      (start, parts) => {
        const url = start + parts.join("");
        const { host } = read(url);
        if (host === undefined || !URL.canParse(url)) return;
        expect(new URL(url).hostname, url).toBe(host);
      },
    ),
    { numRuns: Number(process.env["VIEW_FUZZ_RUNS"] ?? 2_000) },
  );
});

exhaustive(
  "every code point in a host leads where a browser goes, or is said to be unclear",
  () => {
    const wrong: string[] = [];
    for (let codePoint = 0x80; codePoint < 0x30000; codePoint++) {
      if (codePoint >= 0xd800 && codePoint < 0xe000) continue;
      const { ascii } = readHost(`a${String.fromCodePoint(codePoint)}b.example`);
      const url = `https://a${String.fromCodePoint(codePoint)}b.example`;
      if (ascii === undefined || !URL.canParse(url)) continue;
      if (new URL(url).hostname !== ascii) wrong.push(codePoint.toString(16));
    }
    expect(wrong).toEqual([]);
  },
  60_000,
);

test.each([
  ["ada@example.com", ["example.com"], ""],
  ["ada@mail.evil.co.uk", ["evil.co.uk"], ""],
  ["Ada <ada@example.com>", [], "Not an address of the plain form"],
  ["ada@a@b.example", [], "Not an address of the plain form"],
  ['"ada@bank.example"@evil.example', [], "Not an address of the plain form"],
  ["аda@example.com", ["example.com"], "reads like ⟪ada⟫"],
  ["ada@раураl.com", ["xn--l-7sba6dbr.com"], "⟪раураl⟫ reads like ⟪paypal⟫"],
])("a recipient is one plain address, and its domain is told: %s", (to, domains, warning) => {
  const view = viewOf("email.send", { to });
  expect(valuesOf(view, "domain")).toEqual(domains);
  expect(valuesOf(view, "warning").join("\n")).toContain(warning);
});
