import { type Action, holdsSecret, type Json } from "@countersign/shared";
import { type Described, InvalidCall } from "../../gate/executor.js";
import { saidBy } from "../said.js";
import type { BrowserCall } from "./calls.js";
import type { Seen } from "./in-page.js";
import { findElement, writePlace } from "./look.js";
import type { BrowserPage } from "./page.js";
import { rectangleOf, regionOf } from "./regions.js";

export interface Looking {
  page: BrowserPage;
  tool: string;
  screenshot: () => Promise<Uint8Array>;
}

/** The page and the element as they are now, in the words of the policy's schema. */
export async function describeBrowserCall(
  { page, tool, screenshot }: Looking,
  call: BrowserCall,
): Promise<Described> {
  const surroundings = await surroundingsOf(page);
  const args = definedOnly(call.args);
  const common = { extent: {}, screenshot };
  if (call.does === "navigate") {
    const url = webAddress(call.args.url);
    return {
      ...common,
      proposal: { tool, args, preconditions: [], reversible: false },
      family: "navigate",
      resource: { type: "Url", id: url.href, attributes: addressFacts(url) },
      context: { ...surroundings.context, has_secret: saidBy(url).hasSecret },
    };
  }
  const found = await findElement(page, call.place);
  await found.done();
  const { seen } = found;
  const typed = "text" in call ? call.text : "";
  const keys = "keys" in call ? call.keys : [];
  // What is more than filling a field in is not told as a field: no rule about fields lets it through.
  const field = isOnlyFilling(seen, typed, keys) ? seen.field : undefined;
  return {
    ...common,
    proposal: {
      tool,
      args,
      target: {
        ...surroundings.target,
        element: seen.name === "" ? seen.tag : seen.name,
        rectangle: rectangleOf(seen),
      },
      preconditions: [
        { kind: "element", subject: writePlace(call.place) },
        { kind: "page_region", subject: regionOf(seen) },
      ],
      reversible: false,
    },
    family: call.does === "click" ? "click" : "type",
    resource: {
      type: "Element",
      id: [surroundings.context["host"] ?? "page", seen.role || seen.tag, seen.name].join(" "),
      attributes: { ...surroundings.context, ...elementFacts(seen, field) },
    },
    context: {
      ...surroundings.context,
      hidden: seen.hidden,
      focused: seen.focused,
      has_secret: holdsSecret(typed),
      ...(field === undefined ? {} : { field }),
      ...(typed === "" ? {} : { characters: Array.from(typed).length }),
      ...(keys.length === 0 ? {} : { keys: keys.join(" ") }),
    },
  };
}

async function surroundingsOf(page: BrowserPage) {
  const [title, url] = [(await page.title()).slice(0, 1000), page.url()];
  const host = URL.canParse(url) ? new URL(url).hostname : "";
  const facts: Record<string, string> = { application: "browser", url };
  if (title !== "") facts["window"] = title;
  const target: Action["target"] = { application: "browser", url: url.slice(0, 8000) };
  return {
    context: host === "" ? facts : { ...facts, host },
    target: title === "" ? target : { ...target, window: title },
  };
}

function elementFacts(seen: Seen, field: string | undefined) {
  const { role, name, tag, href, submits } = seen;
  return {
    tag,
    submits,
    ...(role === "" ? {} : { role }),
    ...(name === "" ? {} : { name }),
    ...(href === undefined ? {} : { href }),
    ...(field === undefined ? {} : { field }),
  };
}

/** Keys that do no more than move in a field or change what is in it. */
const editingKey =
  /^(?:Shift\+)?(?:.|Space|Backspace|Delete|Home|End|Arrow(?:Left|Right|Up|Down))$/u;

function isOnlyFilling(seen: Seen, typed: string, keys: readonly string[]): boolean {
  const sends = (!seen.multiline && /[\n\r\t]/.test(typed)) || keys.includes("Enter");
  if (sends && seen.submits) return false;
  return keys.every((key) => key === "Enter" || editingKey.test(key));
}

/** @throws InvalidCall `url_invalid` for what is not of the web, or brings a name or password along */
function webAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol)) throw new InvalidCall("url_invalid");
  if (url.username !== "" || url.password !== "") throw new InvalidCall("url_invalid");
  return url;
}

function addressFacts(url: URL) {
  const { protocol, hostname, pathname, port } = url;
  return {
    scheme: protocol.slice(0, -1),
    host: hostname,
    path: pathname,
    said_bytes: saidBy(url).bytes,
    ...(port === "" ? {} : { port: Number(port) }),
  };
}

const definedOnly = (args: object): { [member: string]: Json } =>
  Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
