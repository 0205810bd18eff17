import { type Host, readHost } from "./host.js";
import { suspicions } from "./look-alikes.js";
import { quote } from "./quote.js";
import type { Row } from "./row.js";
import { visible } from "./visible.js";

/** What we derive from one value: facts that stand after it, and warnings that stand before everything. */
export interface Findings {
  facts: Row[];
  warnings: Row[];
}

export const nothing: Findings = { facts: [], warnings: [] };

/** @param path of the value that the findings are about */
export function findings(path: string, warnings: readonly string[], facts: Row[] = []): Findings {
  return {
    facts,
    warnings: warnings.map((text) => [`warning about ${path}`, text, "library", "warning"]),
  };
}

export const both = (all: readonly Findings[]): Findings => ({
  facts: all.flatMap(({ facts }) => facts),
  warnings: all.flatMap(({ warnings }) => warnings),
});

/** RFC 3986, appendix B, with a scheme. */
const parts = /^([A-Za-z][A-Za-z0-9+.-]*):(\/\/([^/?#]*))?([^?#]*)/s;
const encrypted = ["https", "wss"];
const plain = ["http", "ws"];
const usualPorts: Record<string, string> = { https: "443", wss: "443", http: "80", ws: "80" };

export const looksLikeAddress = (text: string): boolean =>
  /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text);

/** Where a URL leads: host, registered domain, and whatever in it was written to be misread. */
export function aboutAddress(path: string, text: string): Findings {
  const [, scheme = "", slashes, authority = "", rest = ""] = parts.exec(text) ?? [];
  const name = scheme.toLowerCase();
  const isWeb = encrypted.includes(name) || plain.includes(name);
  if (scheme === "") {
    return findings(path, ["Not a whole address: where it leads cannot be told"]);
  }
  const said: string[] = [];
  if (plain.includes(name)) said.push("Not encrypted: anybody on the way can read and change it");
  if (!isWeb) said.push(`Not an address of the web: it opens with ${quote(scheme)}`);
  if (isWeb && !slashes) {
    return findings(path, [...said, "Written without //: programs differ in where it leads"]);
  }
  if (!slashes) return findings(path, said);
  const isMisread = /[\\\0-\x20\x7f]/.test(authority) || (isWeb && /^\/*\\/.test(rest));
  const [, user, written = "", port] = /^(?:(.*)@)?(.*?)(?::(\d*))?$/s.exec(authority) ?? [];
  if (isMisread || written === "" || /[:@](?![^[]*\])/.test(written)) {
    return findings(path, [...said, "Written so that programs differ in where it leads"]);
  }
  if (user !== undefined) {
    said.push(`${quote(user, "text")} before the @ is a user name: it does not lead there`);
  }
  const host = readHost(written);
  if (port && port !== usualPorts[name]) said.push(`Not the usual port: ${quote(port)}`);
  return both([findings(path, said), aboutHost(path, host)]);
}

/** An e-mail address of the plain form; anything else is said to be unclear. */
export function aboutRecipient(path: string, text: string): Findings {
  const [, local = "", domain = ""] = /^([^\s@<>,;:"()[\]\\]+)@([^\s@]+)$/.exec(text) ?? [];
  if (domain === "") {
    return findings(path, [
      "Not an address of the plain form name@host: who gets it cannot be told",
      ...suspicions(text),
    ]);
  }
  return both([findings(path, suspicions(local)), aboutHost(path, readHost(domain))]);
}

function aboutHost(path: string, host: Host): Findings {
  const { written, ascii, letters, domain } = host;
  const facts: Row[] =
    ascii === undefined ? [] : [[`host of ${path}`, visible(ascii), "library", "host"]];
  if (domain !== undefined)
    facts.push([`registered domain of ${path}`, domain, "library", "domain"]);
  if (ascii !== undefined && ascii !== written) {
    facts.push([`host of ${path} in letters`, visible(written), "library", "fact"]);
  } else if (letters !== undefined) {
    facts.push([`host of ${path} in letters`, visible(letters), "library", "fact"]);
  }
  return findings(path, host.warnings, facts);
}
