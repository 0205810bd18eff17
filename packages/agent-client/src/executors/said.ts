import { holdsSecret } from "@countersign/shared";

/** What a request says to whoever is asked, wherever in it: its address and, with their names, its headers. */
export function saidBy({ href }: URL, headers: Readonly<Record<string, string>> = {}) {
  const texts = [href, ...Object.entries(headers).map((header) => header.join(": "))];
  return {
    bytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    // As a part of a path a secret looks like a name: here it is looked at by itself.
    hasSecret: texts.map(decoded).some((text) => text.split("/").some(holdsSecret)),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
