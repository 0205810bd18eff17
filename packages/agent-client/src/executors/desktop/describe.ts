import { holdsSecret } from "@countersign/shared";
import { type Described, InvalidCall } from "../../gate/executor.js";
import type { DesktopCall } from "./calls.js";
import type { DesktopWindow, Display } from "./display.js";
import { redactedScreen, within, writeRegion } from "./screen.js";

/** How far around a point counts as its looks. */
const aroundPixels = 40;
const terminals = /term|konsole|alacritty|kitty|rxvt|tilix|terminator|foot|wezterm|guake|yakuake/i;

/** Windows, not what is in them: there is no role and no name, and so no rule that lets a click through. */
export async function describeDesktopCall(
  display: Display,
  hide: readonly RegExp[],
  tool: string,
  call: DesktopCall,
): Promise<Described> {
  const window = await windowAt(display, subjectOf(call)).catch((cause) => {
    throw new InvalidCall("window_unknown", { cause });
  });
  const typed = call.does === "type" ? call.text : "";
  const region =
    call.does === "click"
      ? {
          x: call.x - aroundPixels,
          y: call.y - aroundPixels,
          width: 2 * aroundPixels,
          height: 2 * aroundPixels,
        }
      : undefined;
  const { title, application } = window;
  const facts = {
    ...(application === "" ? {} : { application }),
    ...(title === "" ? {} : { window: title.slice(0, 1000) }),
  };
  const rectangle = within(region ?? window.rectangle);
  return {
    proposal: {
      tool,
      args: call.args,
      target: { ...facts, rectangle },
      preconditions: [
        { kind: "window", subject: subjectOf(call) },
        ...(region ? [{ kind: "screen_region", subject: writeRegion(within(region)) }] : []),
      ],
      reversible: false,
    },
    family: call.does === "click" ? "click" : "type",
    resource: { type: "Element", id: `${application} ${title}`, attributes: facts },
    extent: {},
    context: {
      ...facts,
      focused: call.does !== "click",
      has_secret: holdsSecret(typed),
      ...(terminals.test(application) ? { field: "terminal" } : {}),
      ...(typed === "" ? {} : { characters: Array.from(typed).length }),
      ...(call.does === "press" ? { keys: call.keys.join(" ") } : {}),
    },
    screenshot: () => redactedScreen(display, hide),
  };
}

/** Which window a call goes to, as its precondition's subject. */
export const subjectOf = (call: DesktopCall): string =>
  call.does === "click" ? `point ${call.x},${call.y}` : "active";

/** @throws TypeError where there is no window */
export async function windowAt(display: Display, subject: string): Promise<DesktopWindow> {
  const [, x, y] = /^point (\d+),(\d+)$/.exec(subject) ?? [];
  const window =
    x === undefined
      ? await display.active()
      : (await display.windows()).findLast(
          ({ rectangle: r }) =>
            Number(x) >= r.x &&
            Number(x) < r.x + r.width &&
            Number(y) >= r.y &&
            Number(y) < r.y + r.height,
        );
  if (!window) throw new TypeError("no window is there");
  return window;
}
