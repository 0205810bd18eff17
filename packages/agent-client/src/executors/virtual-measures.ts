import type { Measure } from "../preconditions/registry.js";
import { measureDirectory } from "../preconditions/tree.js";
import { readContent } from "./content.js";
import { openChildFile, pathOf } from "./directory.js";
import type { Roots } from "./roots.js";
import { parseVirtualPath } from "./virtual-path.js";

/** The kind `file` of a virtual path: by descriptor, and no link is followed. */
export const virtualFile =
  (roots: Roots): Measure =>
  async (subject) => {
    const { parent, name } = await roots.openParent(parseVirtualPath(subject));
    try {
      const file = await openChildFile(parent, name);
      return (await readContent(file).finally(() => file.close())).sha256;
    } finally {
      await parent.close();
    }
  };

/** The kind `tree` of a virtual path. */
export const virtualTree =
  (roots: Roots): Measure =>
  async (subject) => {
    const directory = await roots.openDirectory(parseVirtualPath(subject));
    return (await measureDirectory(pathOf(directory)).finally(() => directory.close())).sha256;
  };
