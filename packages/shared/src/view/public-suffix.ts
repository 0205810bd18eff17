import { suffixExceptions, suffixTree } from "./public-suffix-table.js";

interface Node {
  isSuffix: boolean;
  below: Map<string, Node>;
}

let tree: Map<string, Node> | undefined;

function readTree(): Map<string, Node> {
  const root = new Map<string, Node>();
  const open = [{ nodes: root, previous: "" }];
  for (const [, shared = "", rest = "", negation, signs = ""] of suffixTree.matchAll(entry)) {
    const level = open.at(-1) as (typeof open)[number];
    const label = level.previous.slice(0, shared === "" ? 0 : shared.charCodeAt(0) - 0x40) + rest;
    const node = { isSuffix: negation === "", below: new Map<string, Node>() };
    if (label !== "") {
      level.previous = label;
      level.nodes.set(label, node);
    }
    for (const sign of signs) {
      if (sign === "(") open.push({ nodes: node.below, previous: "" });
      if (sign === ")") open.pop();
    }
  }
  return root;
}

const entry = /([A-T]?)([^A-T,()!]*)(!?)([()]*,?)/g;

/**
 * The part of a host that somebody registered, by the public suffix list that is pinned with the renderer.
 * @param host in lower case and punycode, without a dot at its end
 * @returns undefined where the host is itself a public suffix, or a single label
 */
export function registrableDomain(host: string): string | undefined {
  tree ??= readTree();
  const labels = host.split(".");
  let at: Map<string, Node> | undefined = tree;
  // Without a rule, the last label is the suffix.
  let suffixLength = 1;
  for (let depth = 1; depth <= labels.length && at; depth++) {
    const name = labels.slice(-depth).join(".");
    const label = labels[labels.length - depth] as string;
    const node: Node | undefined = at.get(label) ?? at.get("*");
    if (suffixExceptions.includes(name)) {
      suffixLength = depth - 1;
      break;
    }
    if (node?.isSuffix) suffixLength = depth;
    at = node?.below;
  }
  return labels.length > suffixLength ? labels.slice(-suffixLength - 1).join(".") : undefined;
}
