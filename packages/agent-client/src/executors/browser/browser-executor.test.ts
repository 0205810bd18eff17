import { launchChromium } from "@countersign/test-kit/chromium";
import { decode } from "fast-png";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { approve, execute, outcomeOf } from "../../fixtures/browser.js";
import type { Described, Executor } from "../../gate/executor.js";
import { browserExecutor } from "./browser-executor.js";

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  await page?.close();
  page = await browser.newPage({ viewport: { width: 600, height: 400 } });
  return () => page.close();
});

const describeCall = (
  executor: Executor,
  tool: string,
  args: Record<string, unknown>,
): Promise<Described> =>
  executor.describe({ tool, args: args as never }, { signal: new AbortController().signal });

const form = `<title>Shop</title><form method=post action=/order>
  <label>Name <input id=name name=name></label>
  <input id=mail type=email name=mail> <input id=pass type=password>
  <input id=dots style="-webkit-text-security: disc" name=x>
  <input id=otp autocomplete=one-time-code> <input id=card autocomplete=cc-number>
  <input id=tricky type=search placeholder="API key">
  <textarea id=area></textarea> <button id=go>Order now</button></form>
  <form action=/find><input id=q type=search name=q aria-label="Search"></form>
  <div class="xterm"><textarea id=term></textarea></div>
  <a id=link href="https://a.example/x">Read more</a> <div id=edit contenteditable>x</div>
  <button id=two aria-label="Next page">Pay now</button> <div id=div role=link>Elsewhere</div>
  <button id=liar role=link>Send</button> <span id=word>word</span>`;

describe("what a page's element is", () => {
  const fieldOf = async (selector: string) => {
    const executor = browserExecutor({ page });
    const { resource, context } = await describeCall(executor, "browser.type", {
      selector,
      text: "a",
    });
    return [resource.attributes["field"], context["hidden"]];
  };

  it("is measured: a search field is one, and whatever could be more is not", async () => {
    await page.setContent(form);
    expect(await fieldOf("#q")).toEqual(["search", false]);
    expect(await fieldOf("#name")).toEqual(["text", false]);
    expect(await fieldOf("#mail")).toEqual(["email", false]);
    expect(await fieldOf("#area")).toEqual(["text", false]);
    expect(await fieldOf("#edit")).toEqual(["text", false]);
    expect(await fieldOf("#pass")).toEqual(["password", true]);
    expect(await fieldOf("#dots")).toEqual(["password", true]);
    expect(await fieldOf("#otp")).toEqual(["one_time_code", false]);
    expect(await fieldOf("#card")).toEqual(["payment", false]);
    expect(await fieldOf("#tricky")).toEqual(["password", false]);
    expect(await fieldOf("#term")).toEqual(["terminal", false]);
    expect(await fieldOf("#link")).toEqual([undefined, false]);
  });

  it("is no field where what is typed there sends it", async () => {
    await page.setContent(form);
    const executor = browserExecutor({ page });
    const field = async (tool: string, args: Record<string, unknown>) =>
      (await describeCall(executor, tool, args)).resource.attributes["field"];
    expect(await field("browser.type", { selector: "#q", text: "lamp", submit: true })).toBe(
      "search",
    );
    expect(
      await field("browser.type", { selector: "#name", text: "a", submit: true }),
    ).toBeUndefined();
    expect(await field("browser.type", { selector: "#name", text: "a\n" })).toBeUndefined();
    expect(await field("browser.type", { selector: "#area", text: "a\nb" })).toBe("text");
    await page.locator("#name").focus();
    expect(await field("keyboard.press", { keys: "Enter" })).toBeUndefined();
    expect(await field("keyboard.press", { keys: ["a", "Backspace"] })).toBe("text");
    expect(await field("keyboard.press", { keys: "Control+v" })).toBeUndefined();
    expect(await field("keyboard.type", { text: "Ada" })).toBe("text");
  });

  it("is named by all that is said and shown, and its nature is not what a page calls it", async () => {
    await page.setContent(form);
    const executor = browserExecutor({ page });
    const click = async (selector: string) => {
      const { resource, proposal } = await describeCall(executor, "browser.click", { selector });
      return { ...resource.attributes, element: proposal.target?.element };
    };
    expect(await click("#go")).toMatchObject({ role: "button", name: "Order now", submits: true });
    expect(await click("#two")).toMatchObject({ name: "Next page / Pay now", submits: false });
    expect(await click("#liar")).toMatchObject({ role: "button", element: "Send" });
    expect(await click("#div")).toMatchObject({ role: "link", tag: "div" });
    expect(await click("#link")).toMatchObject({ role: "link", href: "https://a.example/x" });
    expect(await click("#word")).not.toHaveProperty("role");
    expect(await click("#link")).toMatchObject({ window: "Shop", application: "browser" });
  });

  it("is what is really on top, and nothing that cannot be told", async () => {
    await page.setContent(
      `<button id=below>Below</button><div style="position:fixed;inset:0"></div>`,
    );
    const executor = browserExecutor({ page });
    const refused = (tool: string, args: Record<string, unknown>) =>
      expect(describeCall(executor, tool, args)).rejects;
    await refused("browser.click", { selector: "#below" }).toMatchObject({
      code: "element_covered",
    });
    await page.setContent(`<iframe srcdoc="<button>Pay</button>"></iframe><p>a</p><p>b</p>`);
    await refused("browser.click", { selector: "iframe" }).toMatchObject({
      code: "element_in_frame",
    });
    await refused("mouse.click", { x: 40, y: 40 }).toMatchObject({ code: "element_in_frame" });
    await refused("browser.click", { selector: "p" }).toMatchObject({ code: "element_ambiguous" });
    await refused("browser.click", { selector: "#none" }).toMatchObject({
      code: "element_not_found",
    });
    await refused("keyboard.type", { text: "a" }).toMatchObject({ code: "nothing_focused" });
    await refused("mouse.click", { x: 1, y: 1, force: true }).toMatchObject({
      code: "arguments_invalid",
    });
    await refused("browser.navigate", { url: "file:///etc/passwd" }).toMatchObject({
      code: "url_invalid",
    });
    await refused("browser.navigate", { url: "https://a:b@c.example" }).toMatchObject({
      code: "url_invalid",
    });
  });
});

describe("an approved action", () => {
  it("is done on its element: a click, a search, a form sent by Enter", async () => {
    await page.setContent(form);
    await page.evaluate(() => {
      const log: string[] = [];
      Object.assign(window, { log });
      document.addEventListener("click", (event) => log.push((event.target as Element).id), true);
      document.addEventListener("submit", (event) => {
        log.push("submit");
        event.preventDefault();
      });
    });
    const executor = browserExecutor({ page });
    const run = async (tool: string, args: Record<string, unknown>) =>
      execute(executor, await approve(executor, tool, args as never));
    await run("browser.click", { selector: "#two" });
    await run("browser.type", { selector: "#q", text: "désk lamp 💡", submit: true });
    await run("browser.type", { selector: "#name", text: "Ada" });
    await run("keyboard.press", { keys: "Enter" });
    const box = await page.locator("#edit").boundingBox();
    await run("mouse.click", { x: Math.round(box?.x ?? 0) + 5, y: Math.round(box?.y ?? 0) + 5 });
    expect(await page.inputValue("#q")).toBe("désk lamp 💡");
    expect(await page.inputValue("#name")).toBe("Ada");
    expect(await page.evaluate(() => Reflect.get(window, "log"))).toEqual([
      "two",
      "submit",
      "go",
      "submit",
      "edit",
    ]);
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      "says something else",
      () =>
        page.evaluate(() =>
          Object.assign(document.querySelector("#two") as Element, { textContent: "Delete" }),
        ),
    ],
    [
      "leads elsewhere",
      () => page.evaluate(() => document.querySelector("#two")?.setAttribute("formaction", "/pay")),
    ],
    [
      "looks different",
      () =>
        page.evaluate(() =>
          document.querySelector("#two")?.setAttribute("style", "background:red"),
        ),
    ],
    [
      "has something new beside it",
      () => page.evaluate(() => document.querySelector("#two")?.after("for 900 EUR")),
    ],
    ["is gone", () => page.evaluate(() => document.querySelector("#two")?.remove())],
    [
      "is covered",
      () =>
        page.evaluate(() => {
          const cover = document.createElement("div");
          cover.style.cssText = "position:fixed;inset:0";
          document.body.append(cover);
        }),
    ],
  ])("is not done when its element %s", async (_what, change) => {
    await page.setContent(form);
    const executor = browserExecutor({ page });
    const action = await approve(executor, "browser.click", { selector: "#two" });
    await page.evaluate(() =>
      document.addEventListener(
        "click",
        () => {
          document.title = "clicked";
        },
        true,
      ),
    );
    await change();
    expect(await outcomeOf(executor, action)).toBe("precondition_changed");
    expect(await page.title()).toBe("Shop");
  });

  it("is nothing without what was looked at", async () => {
    await page.setContent(form);
    const executor = browserExecutor({ page });
    const action = await approve(executor, "browser.click", { selector: "#two" });
    expect(await outcomeOf(executor, { ...action, preconditions: [] })).toBe(
      "precondition_missing",
    );
    const other = { ...action, args: { selector: "#go" } };
    expect(await outcomeOf(executor, other)).toBe("precondition_missing");
  });

  it("types into its field only, when a page takes the focus away in the middle", async () => {
    await page.setContent(`<input id=a aria-label=First><input id=b aria-label=Second>
      <script>a.oninput = () => { if (a.value.length === 2) b.focus() }</script>`);
    const executor = browserExecutor({ page });
    const action = await approve(executor, "browser.type", { selector: "#a", text: "abcdef" });
    expect(await outcomeOf(executor, action)).toBe("target_moved");
    expect([await page.inputValue("#a"), await page.inputValue("#b")]).toEqual(["ab", ""]);
  });
});

/** The long form: LONG=1. */
const rounds = process.env["LONG"] ? 1_000 : 42;

it("a button that is moved under the pointer is never pressed", { timeout: 600_000 }, async () => {
  await page.setContent(`<style>button { position: absolute; width: 90px; height: 40px }</style>
    <button id=next style="left:200px;top:150px">Next page</button>
    <button id=pay style="left:200px;top:300px">Pay now</button>`);
  await page.evaluate(() => {
    const counts = { next: 0, pay: 0 };
    Object.assign(window, { counts });
    const [next, pay] = ["next", "pay"].map((id) => document.getElementById(id) as HTMLElement);
    const place = (swapped: boolean) => {
      if (next) next.style.top = swapped ? "300px" : "150px";
      if (pay) pay.style.top = swapped ? "150px" : "300px";
    };
    for (const id of ["next", "pay"] as const) {
      document.getElementById(id)?.addEventListener("click", () => counts[id]++);
    }
    let later: NodeJS.Timeout | undefined;
    const moments: Record<string, () => void> = {
      later: () => {
        later = setTimeout(() => place(true), Math.random() * 60);
      },
      hover: () => next?.addEventListener("mouseenter", () => place(true), { once: true }),
      move: () => addEventListener("mousemove", () => place(true), { once: true }),
      down: () => next?.addEventListener("mousedown", () => place(true), { once: true }),
      up: () => next?.addEventListener("mouseup", () => place(true), { once: true }),
      renamed: () =>
        addEventListener(
          "mousemove",
          () =>
            next && Object.assign(next, { textContent: "Pay now", onclick: () => counts.pay++ }),
          { once: true },
        ),
      never: () => undefined,
    };
    Object.assign(window, {
      reset: () => {
        // Or it would fire in the next round, before what is under the pointer is looked at and approved.
        clearTimeout(later);
        place(false);
        if (next) Object.assign(next, { textContent: "Next page", onclick: null });
      },
      start: (moment: string) => moments[moment]?.(),
    });
  });
  const executor = browserExecutor({ page });
  const outcomes: Record<string, number> = {};
  const moments = ["later", "hover", "move", "down", "up", "renamed", "never"];
  for (let round = 0; round < rounds; round++) {
    const moment = moments[round % moments.length] ?? "never";
    await page.mouse.move(5, 5);
    await page.evaluate(() => Reflect.get(window, "reset")());
    const action = await approve(executor, "mouse.click", { x: 245, y: 170 });
    await page.evaluate((which) => Reflect.get(window, "start")(which), moment);
    const outcome = await outcomeOf(executor, action);
    outcomes[`${moment} ${outcome}`] = (outcomes[`${moment} ${outcome}`] ?? 0) + 1;
  }
  const counts = await page.evaluate(
    () => Reflect.get(window, "counts") as { next: number; pay: number },
  );
  expect(counts.pay, JSON.stringify(outcomes)).toBe(0);
  expect(counts.next).toBeGreaterThan(0);
  expect(Object.keys(outcomes).filter((one) => one.startsWith("never"))).toEqual(["never done"]);
});

it("no picture shows what a field hides, a frame's fields and what the caller hides", async () => {
  await page.setContent(`<body style="margin:0;background:#fff"><style>input{all:unset;position:absolute;width:80px;height:20px;background:#0f0}</style>
    <input type=password value=hunter2 style="left:10px;top:10px"><input style="left:10px;top:50px;-webkit-text-security:disc">
    <div class=private style="position:absolute;left:10px;top:90px;width:80px;height:20px;background:#0f0">x</div>
    <iframe srcdoc="<body style='background:#0f0'><input type=password>" style="position:absolute;left:200px;top:10px;width:100px;height:80px;border:0"></iframe>`);
  await page.frames()[1]?.locator("input").waitFor();
  const executor = browserExecutor({ page, hide: [".private"] });
  await page.setContent(await page.content());
  await page.frames()[1]?.locator("input").waitFor();
  const { screenshot } = await describeCall(executor, "browser.navigate", {
    url: "https://a.example",
  });
  const { data, channels, width } = decode((await screenshot?.()) ?? new Uint8Array());
  const greens: [x: number, y: number][] = [];
  for (let at = 0; at < data.length; at += channels) {
    const [red = 0, green = 0, blue = 0] = data.subarray(at, at + 3);
    if (green > 200 && red < 60 && blue < 60)
      greens.push([(at / channels) % width, Math.floor(at / channels / width)]);
  }
  expect(greens).toEqual([]);
});
