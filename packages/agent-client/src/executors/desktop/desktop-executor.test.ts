import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { decode } from "fast-png";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { approve, execute, outcomeOf } from "../../fixtures/browser.js";
import type { Described } from "../../gate/executor.js";
import { desktopExecutor } from "./desktop-executor.js";

const programs = ["Xvfb", "xdotool", "xprop", "xwd", "xev"];
const missing = programs.filter((program) => {
  try {
    return execFileSync("sh", ["-c", `command -v ${program}`]).length === 0;
  } catch {
    return true;
  }
});
if (missing.length > 0) console.warn(`No desktop to test on: ${missing.join(", ")} not installed.`);

describe.skipIf(missing.length > 0)("a desktop", () => {
  let server: ChildProcess;
  let display: string;
  const clients: ChildProcess[] = [];
  beforeAll(async () => {
    // Without a reset when its last window goes, which would end the next one too.
    const options = ["-noreset", "-displayfd", "3", "-screen", "0", "640x480x24"];
    server = spawn("Xvfb", [...options, "-nolisten", "tcp"], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    const [number] = await new Promise<string[]>((resolve) => {
      server.stdio[3]?.once("data", (data: Buffer) => resolve(data.toString().trim().split("\n")));
    });
    display = `:${number}`;
  });
  afterAll(() => server?.kill());
  beforeEach(() => () => {
    for (const client of clients.splice(0)) client.kill();
  });

  const xdotool = (...args: string[]): string =>
    execFileSync("xdotool", args, { env: { ...process.env, DISPLAY: display }, timeout: 10_000 })
      .toString()
      .trim();

  /** A window that writes down what it gets. */
  async function openWindow(name: string, place: string): Promise<{ id: string; heard: string[] }> {
    const client = spawn(
      "xev",
      ["-name", name, "-geometry", place, "-event", "button", "-event", "keyboard"],
      {
        env: { ...process.env, DISPLAY: display },
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    clients.push(client);
    const heard: string[] = [];
    let isPress = false;
    createInterface({ input: client.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      if (/^\w+ event/.test(line)) isPress = /^(?:Key|Button)Press/.test(line);
      const [, character] = /XLookupString gives \d+ bytes: \([^)]*\) "(.)"/.exec(line) ?? [];
      if (isPress && character !== undefined) heard.push(character);
      if (/^ButtonPress/.test(line)) heard.push("click");
    });
    const id = xdotool("search", "--sync", "--onlyvisible", "--name", `^${name}$`);
    return { id, heard };
  }

  const describeCall = (
    tool: string,
    args: Record<string, unknown>,
    hide: RegExp[] = [],
  ): Promise<Described> =>
    desktopExecutor({ display, hide }).describe(
      { tool, args: args as never },
      { signal: new AbortController().signal },
    );
  const heardOf = async ({ heard }: { heard: string[] }, count: number) => {
    await expect.poll(() => heard.length).toBeGreaterThanOrEqual(count);
    return heard.join("");
  };

  it("is seen: its windows, their programs, its pixels", async () => {
    await openWindow("Mail", "200x100+50+60");
    const { proposal, resource, screenshot } = await describeCall("mouse.click", {
      x: 100,
      y: 100,
    });
    expect(proposal.target).toMatchObject({
      window: "Mail",
      rectangle: { x: 60, y: 60, width: 80 },
    });
    expect(resource).toMatchObject({ type: "Element", attributes: { window: "Mail" } });
    expect(resource.attributes).not.toHaveProperty("role");
    const { width, height, data } = decode((await screenshot?.()) ?? new Uint8Array());
    expect([width, height]).toEqual([640, 480]);
    expect(new Set(data).size).toBeGreaterThan(1);
    await expect(describeCall("mouse.click", { x: 600, y: 400 })).rejects.toMatchObject({
      code: "window_unknown",
    });
    await expect(describeCall("keyboard.press", { keys: "Hyper+x" })).rejects.toMatchObject({
      code: "arguments_invalid",
    });
  });

  it("is clicked and typed into", async () => {
    const window = await openWindow("Mail", "200x100+50+60");
    const executor = desktopExecutor({ display });
    await execute(executor, await approve(executor, "mouse.click", { x: 100, y: 100, count: 2 }));
    expect(await heardOf(window, 2)).toBe("clickclick");
    xdotool("windowfocus", "--sync", window.id);
    await execute(executor, await approve(executor, "keyboard.type", { text: "-hi" }));
    await execute(executor, await approve(executor, "keyboard.press", { keys: ["a"] }));
    expect(await heardOf(window, 6)).toBe("clickclick-hia");
  });

  it("is not touched when the window, or what is around the point, is another than was looked at", async () => {
    const window = await openWindow("Mail", "200x100+50+60");
    const executor = desktopExecutor({ display });
    const click = await approve(executor, "mouse.click", { x: 100, y: 100 });
    xdotool("windowfocus", "--sync", window.id);
    const type = await approve(executor, "keyboard.type", { text: "secret" });
    const other = await openWindow("Bank", "200x100+40+50");
    expect(await outcomeOf(executor, click)).toBe("precondition_changed");
    xdotool("windowfocus", "--sync", other.id);
    expect(await outcomeOf(executor, type)).toBe("precondition_changed");
    xdotool("windowmove", "--sync", other.id, "110", "110");
    // The same window is under the point, but it no longer looks the same around it.
    expect(await outcomeOf(executor, click)).toBe("precondition_changed");
    expect(await outcomeOf(executor, { ...click, preconditions: [] })).toBe("precondition_missing");
    expect([window.heard, other.heard]).toEqual([[], []]);
  });

  it("has windows that no picture shows", async () => {
    await openWindow("Passwords", "200x100+50+60");
    await openWindow("Notes", "100x50+400+300");
    const { screenshot } = await describeCall("mouse.click", { x: 420, y: 320 }, [/^Passwords$/]);
    const { data, channels, width } = decode((await screenshot?.()) ?? new Uint8Array());
    const at = (x: number, y: number) => [
      ...data.subarray((y * width + x) * channels, (y * width + x) * channels + 3),
    ];
    for (const [x, y] of [
      [50, 60],
      [150, 110],
      [249, 159],
    ] as const)
      expect(at(x, y)).toEqual([0, 0, 0]);
    expect(at(420, 320)).toEqual([255, 255, 255]);
  });
});
