import { expect, test } from "vitest";
import type { Json } from "../json.js";
import type { Manifest } from "../manifest.js";
import { exhaustive, manifestOf, viewOf, world } from "./fixture.js";
import { render } from "./render.js";
import type { View } from "./row.js";
import { isHidden } from "./visible.js";

const invisible = /^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Variation_Selector}\u{E0000}-\u{E0FFF}]$/u;

/** All of the small classes, and every thousandth of the private and unassigned ones, which visible.test.ts has whole. */
const hostile = Array.from({ length: 0x110000 }, (_, codePoint) => codePoint).filter(
  (codePoint) =>
    codePoint !== 10 &&
    (invisible.test(String.fromCodePoint(codePoint)) ||
      (isHidden(codePoint) && codePoint % 1000 === 0)),
);
const text = hostile.map((codePoint) => `a${String.fromCodePoint(codePoint)}b`).join("");
const marks = hostile.map(
  (codePoint) => `⟦U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}⟧`,
);

const withAction = (more: object): Manifest => manifestOf("t", {}, more);
const fields: Record<string, Manifest> = {
  tool: manifestOf(text, {}),
  argument: manifestOf("t", { a: text }),
  "argument deep down": manifestOf("t", { a: [{ b: [text] }] }),
  "name of an argument": manifestOf("t", { [text]: 1 }),
  command: manifestOf("shell.exec", { command: text }),
  "quoted command": manifestOf("shell.exec", { command: `echo '${text}'` }),
  path: manifestOf("file.delete", { path: text }),
  address: manifestOf("http.request", { method: "GET", url: `https://a.example/${text}` }),
  host: manifestOf("http.request", { method: "GET", url: `https://${text}.example/` }),
  recipient: manifestOf("email.send", { to: text }),
  payee: manifestOf("payment.send", { amount: 1, currency: "EUR", payee: text }),
  before: manifestOf("file.edit", { path: "/a", before: text, after: "" }),
  window: withAction({ target: { window: text } }),
  application: withAction({ target: { application: text } }),
  element: withAction({ target: { element: text } }),
  url: withAction({ target: { url: text } }),
  cwd: withAction({ cwd: text }),
  "name in env": withAction({ env: { [text]: "" } }),
  "value in env": withAction({ env: { A: text } }),
  precondition: withAction({ preconditions: [{ kind: text, subject: "s", sha256: "h" }] }),
  subject: withAction({ preconditions: [{ kind: "k", subject: text, sha256: "h" }] }),
  undo: withAction({ undo: { a: text } }),
  reason: { ...manifestOf("t", {}), reasons: [text] },
  claim: { ...manifestOf("t", {}), agent_claim: text },
};

exhaustive(
  "every hidden character in every field is a visible mark, and none is left as it was",
  () => {
    for (const [field, manifest] of Object.entries(fields)) {
      const shown = render(manifest, world.request).flat();
      const missing = marks.filter((mark) => !shown.some((one) => one.includes(mark)));
      expect(missing, field).toEqual([]);
      const leaked = Array.from(shown.join("")).filter(
        (character) => character !== "\n" && isHidden(character.codePointAt(0) as number),
      );
      expect(leaked, field).toEqual([]);
    }
  },
);

const warningsOf = (view: View) =>
  view.filter(([, , , kind]) => kind === "warning").map(([, value]) => value);
const about = (tool: string, args: Json) => warningsOf(viewOf(tool, args)).join("\n");

test.each([
  ["/etc/раsswd", "⟪раsswd⟫ reads like ⟪passwd⟫"],
  ["/home/αda", "different scripts in one word: ⟪αda⟫ (Greek, Latin)"],
  ["/srv/ｅｔｃ", "reads like"],
  ["/srv\u2215etc", "reads like"],
  ["/srv/אב", "written from right to left"],
  ["/srv/../etc", "Goes up through .."],
  ["C:\\a\\..\\b", "Goes up through .."],
  ["..", "Goes up through .."],
  ["../etc", "Goes up through .."],
  ["/srv/..", "Goes up through .."],
  ["/srv/a ", "Unusual characters"],
  ["/srv/a\u200b", "Unusual characters"],
])("a path that deceives is said to: %s", (path, warning) => {
  expect(about("file.delete", { path })).toContain(warning);
});

test.each([
  "/srv/data",
  "/home/José/Äpfel.txt",
  "C:\\Users\\ada",
  "/srv/東京/データ",
  "/data/Отчёт",
])("a path of one script is not cried wolf over: %s", (path) => {
  expect(about("file.delete", { path })).toBe("");
});

test.each([
  ["Раураl", "reads like ⟪Paypal⟫"],
  ["PaypaӀ", "reads like ⟪Paypal⟫"],
  ["𝐏aypal", "reads like ⟪Paypal⟫"],
  ["Αmazon", "reads like ⟪Amazon⟫"],
])("a payee who looks like another is said to: %s", (payee, warning) => {
  expect(about("payment.send", { amount: 1, currency: "EUR", payee })).toContain(warning);
});

test("an amount is said in major units, or not at all", () => {
  const pay = (amount: number, currency: string) => {
    const view = viewOf("payment.send", { amount, currency, payee: "Ada" });
    return [view.find(([, , , kind]) => kind === "money")?.[1], warningsOf(view).join()];
  };
  expect(pay(123456789, "EUR")).toEqual(["1 234 567.89 EUR", ""]);
  expect(pay(5, "EUR")).toEqual(["0.05 EUR", ""]);
  expect(pay(1000, "JPY")).toEqual(["1 000 JPY", ""]);
  expect(pay(1234567, "KWD")).toEqual(["1 234.567 KWD", ""]);
  expect(pay(-5, "EUR")).toEqual(["-0.05 EUR", expect.stringContaining("not above zero")]);
  for (const [amount, currency] of [
    [1, "eur"],
    [1, "XXX"],
    [1, "constructor"],
    [1.5, "EUR"],
    [2 ** 60, "EUR"],
  ] as const) {
    expect(pay(amount, currency)).toEqual([undefined, expect.stringContaining("cannot be told")]);
  }
});

test("the text before is the model's word, unless a precondition vouches for it", () => {
  const args = { path: "/a", before: "old", content: "new" };
  expect(warningsOf(viewOf("file.write", args))).toEqual([expect.stringContaining("model's word")]);
  const sha256 = "y6BrVzb69n5UsHtWHq6UOV53TFF6fZEKVDaeEmPM-9Q";
  const vouchedFor = (subject: string, digest: string, kind = "file") =>
    warningsOf(viewOf("file.write", args, { preconditions: [{ kind, subject, sha256: digest }] }));
  expect(vouchedFor("/a", sha256)).toEqual([]);
  expect(vouchedFor("/b", sha256)).toHaveLength(1);
  expect(vouchedFor("/a", sha256, "folder")).toHaveLength(1);
  expect(vouchedFor("/a", `A${sha256.slice(1)}`)).toHaveLength(1);
});
