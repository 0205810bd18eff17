import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aboutAddress, aboutRecipient, looksLikeAddress } from "./address.js";
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

const misread = "Written so that programs differ in where it leads";
const slashless = "Written without //: programs differ in where it leads";
const none = "Not a whole address: where it leads cannot be told";
const plainText = "Not encrypted: anybody on the way can read and change it";
const other = (scheme: string) => `Not an address of the web: it opens with ⟪${scheme}⟫`;
const user = (name: string) => `⟪${name}⟫ before the @ is a user name: it does not lead there`;
const port = (text: string) => `Not the usual port: ⟪${text}⟫`;

test.each<[url: string, host: string | undefined, warnings: string[]]>([
  ["https://a.example", "a.example", []],
  ["wss://a.example:443", "a.example", []],
  ["https://a.example:", "a.example", []],
  ["https://a.example?b://c@d:1", "a.example", []],
  ["https://a.example#b@c", "a.example", []],
  ["https://a.example/x\\b", "a.example", []],
  ["https://a.example/\\b", undefined, [misread]],
  ["https://a.example//\\b", undefined, [misread]],
  ["http://a.example:80", "a.example", [plainText]],
  ["ws://a.example:80", "a.example", [plainText]],
  ["HTTP://a.example:443", "a.example", [plainText, port("443")]],
  ["https://a.example:80", "a.example", [port("80")]],
  ["wss://a.example:4430", "a.example", [port("4430")]],
  ["ssh://git@a.example:22/x", "a.example", [other("ssh"), user("git"), port("22")]],
  ["git+ssh://a.example/x", "a.example", [other("git+ssh")]],
  ["a1.b-c://a.example", "a.example", [other("a1.b-c")]],
  ["https://a:b@c:d@e.example", "e.example", [user("a:b@c:d")]],
  ["https://@a.example", "a.example", [user("")]],
  ["https://a\u00a0b@c.example", "c.example", [user("a⟦U+00A0⟧b")]],
  ["mailto:a@b.example", undefined, [other("mailto")]],
  ["x:\\\\a.example", undefined, [other("x")]],
  ["x:///\\a.example", undefined, [other("x"), misread]],
  ["https:a.example", undefined, [slashless]],
  ["http:/a.example", undefined, [plainText, slashless]],
  ["https:///a.example", undefined, [misread]],
  ["https://a.example\n@b.example", undefined, [misread]],
  ["https://a.example\x7f", undefined, [misread]],
  ["https://a b.example", undefined, [misread]],
  ["https://:80", undefined, [misread]],
  ["https://a@:80", undefined, [misread]],
  ["https://a.example:80:90", undefined, [misread]],
  ["https://a.example:8x", undefined, [misread]],
  ["https://[::1]:8x", undefined, [misread]],
  ["https://[::1", undefined, [misread]],
  ["https://[::1]:8443", "[::1]", [port("8443"), "A bare address in place of a name"]],
  ["", undefined, [none]],
  ["//a.example", undefined, [none]],
  ["1a://a.example", undefined, [none]],
  [" https://a.example", undefined, [none]],
  ["a b://a.example", undefined, [none]],
  ["a.example", undefined, [none]],
])("all that is said of an address, in order: %j", (url, host, warnings) => {
  const { facts, warnings: said } = aboutAddress("it", url);
  expect(facts[0]?.[1]).toBe(host);
  expect(said).toEqual(warnings.map((text) => ["warning about it", text, "library", "warning"]));
});

test("a host is told with its domain and its letters, each in a row of its own", () => {
  expect(aboutAddress("it", "https://a.bücher.example").facts).toEqual([
    ["host of it", "a.xn--bcher-kva.example", "library", "host"],
    ["registered domain of it", "xn--bcher-kva.example", "library", "domain"],
    ["host of it in letters", "a.bücher.example", "library", "fact"],
  ]);
  expect(aboutAddress("it", "https://xn--bcher-kva").facts).toEqual([
    ["host of it", "xn--bcher-kva", "library", "host"],
    ["host of it in letters", "bücher", "library", "fact"],
  ]);
});

test.each([
  ["https://", true],
  ["a1+.-://x", true],
  ["A://", true],
  ["1a://x", false],
  [" https://x", false],
  ["://x", false],
  ["a b://x", false],
  ["https:/x", false],
])("what begins like an address is read as one: %j", (text, isOne) => {
  expect(looksLikeAddress(text)).toBe(isOne);
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

const unclear = "Not an address of the plain form name@host: who gets it cannot be told";

test.each<[to: string, host: string | undefined, warnings: string[]]>([
  ["a.b+c!#$%&'*/=?^_`{|}~-1@a.example", "a.example", []],
  ["a@A.example.", "a.example.", []],
  ["a@b", "b", []],
  ["a@127.0.0.1", "127.0.0.1", ["A bare address in place of a name"]],
  ["a@[::1]", "[::1]", ["A bare address in place of a name"]],
  ["a@b!.example", undefined, ["Not a host that every program reads alike"]],
  ...["", "a", "a@", "@b", "a@b@c", "a @b", "a@b c", " a@b", "a@b ", "<a@b>", "a,b@c", "a;b@c"].map(
    (to): [string, undefined, string[]] => [to, undefined, [unclear]],
  ),
  ...["a:b@c", '"a"@b', "(a)b@c", "a[b@c", "a]b@c", "a\\b@c"].map(
    (to): [string, undefined, string[]] => [to, undefined, [unclear]],
  ),
  [
    "аре <a@b>",
    undefined,
    [unclear, "Letters that are not what they seem: ⟪аре⟫ reads like ⟪ape⟫"],
  ],
])("all that is said of a recipient: %j", (to, host, warnings) => {
  const { facts, warnings: said } = aboutRecipient("it", to);
  expect(facts[0]?.[1]).toBe(host);
  expect(said.map(([, text]) => text)).toEqual(warnings);
});
