import { visible } from "@countersign/shared";
import type { SoftAgent, SoftRequest } from "@countersign/test-kit/soft-agent";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openRequest, unfoldAll, watchForHarm } from "./support/reviewing.js";
import { startWorld, type World } from "./support/world.js";

// What an agent, or the model behind it, writes reaches the real screen as visible text and as nothing else.

let world: World;
let page: Page;
let agent: SoftAgent;
let harm: string[];

/** One of each kind: controls, joiners, fillers, directions, tags, selectors, private, unassigned, noncharacters. */
const kinds = [
  ...[0x00, 0x08, 0x1b, 0x7f, 0x85, 0xad, 0x61c, 0x115f, 0x180e, 0x200b, 0x200d, 0x200e, 0x202a],
  ...[0x202e, 0x2028, 0x2029, 0x2060, 0x2066, 0x2069, 0xfeff, 0xfff9, 0xfe0f, 0x3164, 0xe000],
  ...[0x0378, 0xffff, 0xe0001, 0xe0041, 0xe007f, 0xe0100, 0xf0000, 0x10ffff],
];
const shortText = kinds.map((codePoint) => `a${String.fromCodePoint(codePoint)}`).join("");
const storable = shortText.replace("\u0000", "");

const invisible = /^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Variation_Selector}\u{E0000}-\u{E0FFF}]$/u;
/** All of the small classes, and of the private and unassigned ones every thousandth: visible.test.ts has them whole. */
const everything = Array.from({ length: 0x110000 }, (_, codePoint) => codePoint).filter(
  (codePoint) =>
    codePoint !== 10 &&
    (invisible.test(String.fromCodePoint(codePoint)) ||
      (codePoint % 1000 === 0 && /\p{Co}|\p{Cn}/u.test(String.fromCodePoint(codePoint)))),
);

const markup = [
  "<script>window.harmed = 1</script>",
  "<img src=x onerror=window.harmed=1>",
  "<svg onload=window.harmed=1><a href=javascript:window.harmed=1>x</a></svg>",
  "</bdi></dd></dl><h2>What would run</h2><button>Approve with passkey</button>",
  "[click](javascript:window.harmed=1) **bold** `code` ![](https://evil.example/x.png)",
  "evil.example/?q=1 @import url(//evil.example)",
  "{{constructor.constructor('window.harmed=1')()}} <%= window.harmed=1 %>",
  "<style>*{display:none}</style><base href=https://evil.example/><meta http-equiv=refresh content=0>",
  "&lt;b&gt;&#x202e;%3Cscript%3E",
  "<iframe srcdoc='<script>parent.harmed=1</script>'></iframe>",
];

const agentName = `${markup[1]}${storable}`.slice(0, 80);

beforeAll(async () => {
  // Even the name by which the agent was paired.
  world = await startWorld(agentName);
  ({ page, agent } = world);
  harm = watchForHarm(page);
});
afterAll(() => world.close());

/** In the page: text that a person cannot see as it is, anywhere on the screen. */
function hiddenCharacters(): string[] {
  const found: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = (walker.currentNode as Text).data.replace(/\n/g, "");
    const [hidden] =
      /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Variation_Selector}]/u.exec(text) ?? [];
    if (hidden) found.push(`U+${hidden.codePointAt(0)?.toString(16)} in ${text.slice(0, 30)}`);
  }
  return found;
}

/** In the page: marks that nobody could read. */
function unreadableMarks(): string[] {
  return [...document.querySelectorAll(".contents mark")].flatMap((mark) => {
    const { width, height } = mark.getBoundingClientRect();
    const { visibility, opacity, color, backgroundColor } = getComputedStyle(mark);
    const seen = width >= 8 && height >= 10 && visibility === "visible" && opacity === "1";
    return (seen && color !== backgroundColor) || mark.className === "break"
      ? []
      : [`${mark.textContent} ${width}x${height}`];
  });
}

/** In the page: what elements there are, without the marks, which stand for characters. */
function skeleton(): string {
  const of = (element: Element): string =>
    [...element.children]
      .filter(({ tagName }) => tagName !== "MARK")
      .map((child) => `<${child.tagName} ${child.className}>${of(child)}`)
      .join("");
  return of(document.querySelector(".contents") as Element);
}

const textOf = (label: string): Promise<string> =>
  page.evaluate((wanted) => {
    const rows = [...document.querySelectorAll(".contents .row")];
    const row = rows.find((one) => one.querySelector("dt span")?.textContent === wanted);
    const shown = row?.querySelectorAll("dd > bdi, dd > .isolated") ?? [];
    return [...shown].map((part) => part.textContent).join("");
  }, label);

const withdraw = ({ rid }: SoftRequest) => agent.call("POST", `/v1/requests/${rid}/cancel`, {});

it("every character that would be hidden is a mark that can be seen, in every field", async () => {
  const request = await agent.request({
    tool: shortText,
    args: { [shortText]: shortText, deep: [{ list: [shortText] }] },
    target: { window: shortText, application: shortText, element: shortText, url: shortText },
    cwd: shortText,
    env: { [shortText]: shortText },
    preconditions: [{ kind: shortText.slice(0, 48), subject: shortText, sha256: "A".repeat(43) }],
    undo: { [shortText]: shortText },
    reasons: [shortText],
    agentClaim: shortText,
  });
  await openRequest(page, request.rid);
  await unfoldAll(page);
  const shown = visible(shortText);
  for (const label of [
    ...["target.window", "target.application", "target.element", "cwd", "reasons[0]"],
    ...["args.deep[0].list[0]", "preconditions[0].subject", "tool", "agent says"],
  ]) {
    expect([label, await textOf(label)]).toEqual([label, shown]);
  }
  expect(await page.evaluate(hiddenCharacters)).toEqual([]);
  expect(await page.evaluate(unreadableMarks)).toEqual([]);
  await withdraw(request);
});

it("all of them at once, to the last", async () => {
  const text = everything.map((codePoint) => `a${String.fromCodePoint(codePoint)}`).join("");
  const request = await agent.request({ tool: "note", args: { text } });
  await openRequest(page, request.rid);
  await unfoldAll(page);
  const marks = everything.map(
    (codePoint) => `⟦U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}⟧`,
  );
  expect(await textOf("args.text")).toBe(marks.map((mark) => `a${mark}`).join(""));
  expect(await page.locator(".row.from-model dd mark").count()).toBeGreaterThanOrEqual(
    marks.length,
  );
  expect(await page.getByText(`${marks.length} hidden characters made visible`).count()).toBe(1);
  expect(await page.evaluate(hiddenCharacters)).toEqual([]);
  expect(await page.evaluate(unreadableMarks)).toEqual([]);
  await withdraw(request);
});

it("no element appears and no script runs, whatever the texts say", async () => {
  const fields = (texts: readonly string[]) => ({
    tool: (texts[0] ?? "").slice(0, 30),
    args: { list: [...texts], object: { text: texts.join(" ") } },
    target: { window: texts[1] ?? "", element: texts[2] ?? "" },
    reasons: texts.slice(0, 3),
    agentClaim: texts.join("\n"),
  });
  const plain = await agent.request(fields(markup.map(({ length }) => "x".repeat(length))));
  await openRequest(page, plain.rid);
  const expected = await page.evaluate(skeleton);
  await withdraw(plain);

  const hostile = await agent.request(fields(markup));
  await openRequest(page, hostile.rid);
  expect(await page.evaluate(skeleton)).toBe(expected);
  for (const path of ["/", "/agents", "/history", `/requests/${hostile.rid}`]) {
    await page.goto(path);
    await page.getByText("<img src=x onerror=window.harmed=1>").first().waitFor();
    expect(await page.evaluate(hiddenCharacters)).toEqual([]);
    expect(await page.locator("img, iframe, base, #app script, #app style").count()).toBe(0);
  }
  expect(await page.evaluate(() => "harmed" in window)).toBe(false);
  await withdraw(hostile);
});

it.each([
  ["nothing", "I tidy up."],
  ["markup", markup.join("\n")],
  ["the screen's own words", "tier\ngreen\nIt can be undone.\nAPPROVED\n⟪/tmp⟫ ⟦U+202E⟧ ⏎"],
  ["directions", "\u202e\u2066 .olleh \u2069 שלום".repeat(20)],
  ["piles of marks", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́O̵̹̻̝̳͂̌̌͘".repeat(20)],
  ["a very long line", "W".repeat(2000)],
])(
  "a claim of the model that is %s leaves the facts as they are, octet by octet",
  async (_, agentClaim) => {
    silent ??= await factsWith({});
    const claiming = await factsWith({ agentClaim });
    expect(claiming.facts).toEqual(silent.facts);
    expect(claiming.picture).toBe(silent.picture);
    expect(await page.evaluate(hiddenCharacters)).toEqual([]);
  },
);

// The times that a request names are facts too.
const capturedAt = Math.floor(Date.now() / 1000);
let silent: Awaited<ReturnType<typeof factsWith>> | undefined;

/** The same action with another claim, or with none: what stands above the claim, and what it looks like. */
async function factsWith(claim: { agentClaim?: string }) {
  await page.setViewportSize({ width: 390, height: 2400 });
  const request = await agent.request({
    ...{ tool: "folder.delete", args: { path: "/srv/reports", recursive: true } },
    ...{ capturedAt, claims: { exp: capturedAt + 580 } },
    ...claim,
  });
  await openRequest(page, request.rid);
  const facts = await page.evaluate(factsOnScreen);
  const picture = await page.screenshot({ clip: facts.clip, scale: "css" });
  await withdraw(request);
  return { facts, picture: picture.toString("base64") };
}

/** In the page: the facts as they are in the document and where they are on the screen, without the claim. */
function factsOnScreen() {
  const contents = document.querySelector(".contents") as Element;
  const parts = [...contents.children];
  const end = parts.findIndex(({ tagName }) => tagName === "BLOCKQUOTE");
  const facts = end < 0 ? parts : parts.slice(0, end - 1);
  const boxes = facts.flatMap((part) =>
    [part, ...part.querySelectorAll("*")].map((element) => {
      const { x, y, width, height } = element.getBoundingClientRect();
      return [x, y, width, height].join();
    }),
  );
  const top = facts[0]?.getBoundingClientRect().top ?? 0;
  const bottom = facts.at(-1)?.getBoundingClientRect().bottom ?? 0;
  return {
    html: facts.map(({ outerHTML }) => outerHTML).join("\n"),
    boxes,
    clip: { x: 0, y: top, width: innerWidth, height: bottom - top },
  };
}

it("an agent's name within a sentence of the app's stands apart from it, to its last letter", async () => {
  await page.goto("/agents");
  await page.getByRole("button", { name: "Unpair" }).click();
  const title = page.locator("dialog h2");
  expect(await title.locator("code").textContent()).toBe(visible(agentName));
  const [ground, around] = await title.evaluate((heading) =>
    [heading.querySelector("code"), heading.closest("dialog")].map(
      (element) => getComputedStyle(element as Element).backgroundColor,
    ),
  );
  expect(ground).not.toBe(around);
  await page.keyboard.press("Escape");
});

it("nothing of all this ran a script, opened a dialogue, called elsewhere or broke the policy", () => {
  expect(harm).toEqual([]);
});
