import { sha256Text, utf8 } from "@countersign/shared";
import { InvalidCall } from "../../gate/executor.js";
import { ExecutionError } from "../execution-error.js";
import { inPage, type Seen, type Way } from "./in-page.js";
import type { BrowserElement, BrowserPage } from "./page.js";

/** Where a call points to: what its precondition says too, so that it can be found again. */
export type Place = { selector: string } | { x: number; y: number } | "focus";

/** How long a selector may take to be resolved: what is there is there. */
const findWithinMs = 2_000;

/** An element with its handle, which is to be disposed of by `done`. */
export interface Found {
  seen: Seen;
  /**
   * From now on input reaches this element only, and only while it is what it was.
   * @throws ExecutionError `precondition_changed`
   */
  arm(): Promise<Armed>;
  done(): Promise<void>;
}

export interface Armed {
  focus(): Promise<void>;
  /** Ends it, and tells whether anything was stopped; `gone` when the page went elsewhere and took the guard along. */
  release(): Promise<"passed" | "blocked" | "gone">;
}

/** @throws InvalidCall `element_not_found`, `element_ambiguous`, and what {@link Seen} calls a problem */
export async function findElement(page: BrowserPage, place: Place): Promise<Found> {
  const handle = await handleOf(page, place);
  const way = wayOf(place);
  const { seen } = await handle.evaluate(inPage, { way });
  if (seen.problem) {
    await handle.dispose();
    throw new InvalidCall(seen.problem);
  }
  return {
    seen,
    done: () => handle.dispose(),
    async arm() {
      const armed = await handle.evaluateHandle(inPage, { way, identity: seen.identity });
      const release: Armed["release"] = () =>
        armed
          .evaluate(({ guard }) => {
            guard?.disarm();
            return guard?.blocked === 0 && guard.passed > 0 ? "passed" : "blocked";
          })
          .catch(() => "gone" as const);
      const { identity, problem } = await armed.evaluate((one) => one.seen);
      if (identity !== seen.identity || problem) {
        await release();
        throw new ExecutionError("precondition_changed");
      }
      return { release, focus: () => armed.evaluate(({ guard }) => guard?.focus()) };
    },
  };
}

async function handleOf(page: BrowserPage, place: Place): Promise<BrowserElement> {
  const selector = typeof place === "object" && "selector" in place ? place.selector : ":root";
  const locator = page.locator(selector);
  const count = await locator.count().catch((cause) => {
    throw new InvalidCall("selector_invalid", { cause });
  });
  if (count !== 1) throw new InvalidCall(count === 0 ? "element_not_found" : "element_ambiguous");
  const handle = await locator.elementHandle({ timeout: findWithinMs });
  if (!handle) throw new InvalidCall("element_not_found");
  return handle;
}

function wayOf(place: Place): Way {
  if (place === "focus") return { by: "focus" };
  return "selector" in place ? { by: "handle" } : { by: "point", ...place };
}

export const identityHash = ({ identity }: Seen): string => sha256Text(utf8(identity));

/** A place as a precondition's subject, for a person to read and for {@link readPlace}. */
export function writePlace(place: Place): string {
  if (place === "focus") return "focus";
  return "selector" in place ? `selector ${place.selector}` : `point ${place.x},${place.y}`;
}

/** @throws TypeError */
export function readPlace(subject: string): Place {
  if (subject === "focus") return "focus";
  const [, x, y] = /^point (\d+),(\d+)$/.exec(subject) ?? [];
  if (x !== undefined && y !== undefined) return { x: Number(x), y: Number(y) };
  if (subject.startsWith("selector ")) return { selector: subject.slice("selector ".length) };
  throw new TypeError("not the place of an element");
}
