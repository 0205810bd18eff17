import { InvalidCall } from "../gate/executor.js";

/** `vfs://<root>/<name>/<name>`: what a model may call a file. It has one spelling and means one place. */
export interface VirtualPath {
  root: string;
  /** Empty for the root itself. */
  names: readonly string[];
}

const shape = /^vfs:\/\/([a-z][a-z0-9-]{0,31})(?:\/(.*))?$/s;
const maxDepth = 64;
const maxNameBytes = 255;

/** Names of files that are being made: nobody asks for them, and what a crash leaves of them is removed. */
export const temporaryName = /^\.countersign-[\w-]{22}\.tmp$/;

/**
 * Nothing is decoded, folded or resolved: `%2e%2e` is a name of six characters, `..` is none.
 * @throws InvalidCall `path_invalid`
 */
export function parseVirtualPath(text: string): VirtualPath {
  const [, root = "", rest = ""] = shape.exec(text) ?? [];
  const names = rest === "" ? [] : rest.split("/");
  if (root === "" || names.length > maxDepth || !names.every(isName)) {
    throw new InvalidCall("path_invalid");
  }
  return { root, names };
}

export const writePath = ({ root, names }: VirtualPath): string =>
  `vfs://${root}/${names.join("/")}`;

/** A backslash separates elsewhere; controls (NUL among them) have no business in a name that a person is to read. */
function isName(name: string): boolean {
  return (
    name !== "" &&
    name !== "." &&
    name !== ".." &&
    name.isWellFormed() &&
    !/[\p{Cc}\\]/u.test(name) &&
    !temporaryName.test(name) &&
    Buffer.byteLength(name) <= maxNameBytes
  );
}
