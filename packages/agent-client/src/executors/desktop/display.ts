import { execFile } from "node:child_process";
import type { Rectangle } from "@countersign/shared";
import type { DecodedPng } from "fast-png";
import { ExecutionError } from "../execution-error.js";
import { readXwd } from "./xwd.js";

/** A window as the X server tells of it; its texts are its program's. */
export interface DesktopWindow {
  id: string;
  title: string;
  /** WM_CLASS: the program, as far as it says the truth. */
  application: string;
  rectangle: Rectangle;
}

/** One X display, through `xdotool`, `xprop` and `xwd`. */
export interface Display {
  /** @throws ExecutionError `screen_unreadable` */
  picture(): Promise<DecodedPng>;
  /** The visible windows that have a name, the topmost last. */
  windows(): Promise<DesktopWindow[]>;
  /** The one that keys go to; undefined where none does. */
  active(): Promise<DesktopWindow | undefined>;
  click(point: { x: number; y: number; button: number; count: number }): Promise<void>;
  /** The text goes by a pipe: arguments can be read by others on the machine. */
  type(text: string): Promise<void>;
  press(key: string): Promise<void>;
}

const maxOutputBytes = 256 * 1024 * 1024;
const withinMs = 10_000;
/** More windows than this nobody has open; each costs three calls. */
const maxWindows = 64;

/** @param name as in `DISPLAY`; undefined for the process's own */
export function openDisplay(name: string | undefined): Display {
  const run = async (program: string, args: string[], input?: string): Promise<Buffer> => {
    const own =
      name === undefined ? [program, ...args] : ["env", `DISPLAY=${name}`, program, ...args];
    const [command = "", ...rest] = own;
    return new Promise((resolve, reject) => {
      const options = { encoding: "buffer", maxBuffer: maxOutputBytes, timeout: withinMs } as const;
      const child = execFile(command, rest, options, (error, stdout) =>
        error ? reject(new ExecutionError("display_failed", { cause: error })) : resolve(stdout),
      );
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(input ?? "");
    });
  };
  const line = async (...args: string[]) => (await run("xdotool", args)).toString().trim();
  const windowOf = async (id: string): Promise<DesktopWindow> => {
    const [title, geometry, classes] = await Promise.all([
      line("getwindowname", id),
      line("getwindowgeometry", "--shell", id),
      run("xprop", ["-id", id, "-notype", "WM_CLASS"]),
    ]);
    const number = (member: string): number =>
      Number(new RegExp(`^${member}=(-?\\d+)$`, "m").exec(geometry)?.[1] ?? 0);
    const [application = ""] = /"[^"]*"$/.exec(classes.toString().trim()) ?? [];
    return {
      id,
      title,
      application: application.slice(1, -1),
      rectangle: {
        x: number("X"),
        y: number("Y"),
        width: number("WIDTH"),
        height: number("HEIGHT"),
      },
    };
  };
  const ids = (text: string): string[] => text.split("\n").filter((one) => /^\d+$/.test(one));
  return {
    async picture() {
      const png = readXwd(await run("xwd", ["-root", "-silent"]));
      if (!png) throw new ExecutionError("screen_unreadable");
      return png;
    },
    async windows() {
      const found = await line("search", "--onlyvisible", "--name", ".").catch(() => "");
      const windows = ids(found)
        .slice(-maxWindows)
        .map((id) => windowOf(id).catch(() => undefined));
      return (await Promise.all(windows)).filter((one) => one !== undefined);
    },
    async active() {
      // Without a window manager nobody says which is active, but the keys go somewhere all the same.
      const found = await line("getactivewindow").catch(() =>
        line("getwindowfocus").catch(() => ""),
      );
      const [id] = ids(found);
      return id === undefined ? undefined : windowOf(id);
    },
    async click({ x, y, button, count }) {
      const at = ["mousemove", "--sync", String(x), String(y)];
      await run("xdotool", [
        ...at,
        "click",
        "--repeat",
        String(count),
        "--delay",
        "60",
        String(button),
      ]);
    },
    async type(text) {
      await run("xdotool", ["type", "--delay", "4", "--file", "-"], text);
    },
    async press(key) {
      await run("xdotool", ["key", "--", key]);
    },
  };
}
