import { type Action, canonicalBytes, sha256Text } from "@countersign/shared";
import type { Executor } from "../../gate/executor.js";
import { pixelsOf } from "../../pictures/png.js";
import { changedPreconditions, type Measures } from "../../preconditions/registry.js";
import { ExecutionError } from "../execution-error.js";
import { type DesktopCall, desktopTools, readDesktopCall } from "./calls.js";
import { describeDesktopCall, subjectOf, windowAt } from "./describe.js";
import { type Display, openDisplay } from "./display.js";
import { keysymOf } from "./keys.js";
import { crop, readRegion } from "./screen.js";

export interface DesktopOptions {
  /** As in `DISPLAY`. Default: the process's own. */
  display?: string;
  /** Programs (WM_CLASS) and titles whose windows no picture may show. */
  hide?: readonly RegExp[];
}

/**
 * An X desktop, by `xdotool`, `xprop` and `xwd`: the tools `mouse.click`, `keyboard.type` and `keyboard.press`. It
 * knows windows, not what is in them, so that nothing it does matches a rule about elements. Window and surroundings
 * are compared just before; unlike in a browser, nothing can stand guard after that.
 * Its `measures` go into `createClient({ preconditions })`.
 */
export function desktopExecutor({ display: name, hide = [] }: DesktopOptions = {}): Executor & {
  measures: Measures;
} {
  const display = openDisplay(name);
  const measures: Measures = {
    window: async (subject) => {
      const window = await windowAt(display, subject);
      return sha256Text(canonicalBytes([window.id, window.application, window.title]));
    },
    screen_region: async (subject) => {
      const region = readRegion(subject);
      return sha256Text(pixelsOf(crop(await display.picture(), region)));
    },
  };
  return {
    tools: desktopTools,
    measures,
    describe: async (call) => describeDesktopCall(display, hide, call.tool, readDesktopCall(call)),
    async execute(action, { signal }) {
      const call = readDesktopCall(action);
      signal.throwIfAborted();
      await requireUnchanged(measures, action, subjectOf(call));
      await perform(display, call);
      return { value: null };
    },
  };
}

/** @throws ExecutionError `precondition_missing`, `precondition_changed` */
async function requireUnchanged(measures: Measures, action: Action, subject: string) {
  const own = action.preconditions.filter(({ kind }) => Object.hasOwn(measures, kind));
  if (!own.some((one) => one.kind === "window" && one.subject === subject)) {
    throw new ExecutionError("precondition_missing");
  }
  const changed = await changedPreconditions(own, measures);
  if (changed.length > 0) throw new ExecutionError("precondition_changed");
}

/** Typed in pieces, and looked at between them: a window that takes the focus gets a piece at most. */
const pieceCharacters = 20;

async function perform(display: Display, call: DesktopCall): Promise<void> {
  if (call.does === "click") return display.click(call);
  const before = (await display.active())?.id;
  const requireFocus = async () => {
    if ((await display.active())?.id !== before) throw new ExecutionError("target_moved");
  };
  if (call.does === "press") {
    for (const key of call.keys) {
      await requireFocus();
      await display.press(keysymOf(key) ?? "");
    }
    return;
  }
  const characters = Array.from(call.text);
  for (let at = 0; at < characters.length; at += pieceCharacters) {
    await requireFocus();
    await display.type(characters.slice(at, at + pieceCharacters).join(""));
  }
}
