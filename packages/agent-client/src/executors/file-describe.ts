import { Buffer } from "node:buffer";
import { type Described, type Extent, InvalidCall } from "../gate/executor.js";
import { measureDirectory } from "../preconditions/tree.js";
import { readContent } from "./content.js";
import { type Kind, kindOf, openChildFile, pathOf } from "./directory.js";
import { edited, textOf } from "./edit.js";
import { type FileCall, type FileTool, requireApartPaths, subjectOf } from "./file-tools.js";
import type { Roots } from "./roots.js";
import { type VirtualPath, writePath } from "./virtual-path.js";

const families: Record<FileTool, Described["family"]> = {
  "file.read": "read",
  "folder.list": "list",
  "file.write": "write",
  "file.edit": "write",
  "file.append": "write",
  "file.copy": "write",
  "file.move": "move",
  "file.delete": "delete",
  "folder.create": "write",
  "folder.delete": "delete",
};

/** More than this is not put beside the new text for a person to compare. */
const maxShownBytes = 20_000;

/** What a call would do to the files as they are now. */
interface Measured {
  /** Whole, with what the library adds to them. */
  args: Record<string, string | boolean>;
  /** Files (and folders, with all in them) that must still be as they are. */
  needs: { kind: "file" | "tree"; path: VirtualPath }[];
  extent: Extent;
  kind: Kind;
}

/** Reads and measures; touches nothing. */
export async function describeFileCall(roots: Roots, call: FileCall): Promise<Described> {
  const { needs, extent, kind, args } = await measure(roots, call);
  const subject = subjectOf(call);
  const id = writePath(subject);
  const { bytes } = extent;
  return {
    proposal: {
      tool: call.tool,
      args,
      preconditions: needs.map((need) => ({ kind: need.kind, subject: writePath(need.path) })),
      reversible: false,
    },
    family: families[call.tool],
    resource: {
      type: "File",
      id,
      attributes: {
        path: id,
        root: subject.root,
        exists: kind !== "absent",
        directory: kind === "folder",
        ...(bytes === undefined ? {} : { bytes }),
      },
    },
    extent,
    context: "from" in call.args ? { from: writePath(call.args.from), to: id } : {},
  };
}

async function measure(roots: Roots, call: FileCall): Promise<Measured> {
  const subject = subjectOf(call);
  const kind = await kindAt(roots, subject);
  const args = Object.fromEntries(
    Object.entries(call.args).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === "object" ? writePath(value) : value]],
    ),
  );
  const one = (bytes: number, needs: Measured["needs"] = []): Measured => ({
    args,
    needs,
    extent: { files: 1, bytes },
    kind,
  });
  const itself = { kind: "file", path: subject } as const;
  switch (call.tool) {
    case "file.read":
    case "file.delete":
      return one((await contentAt(roots, subject)).bytes.length, [itself]);
    case "folder.list":
      await (await roots.openDirectory(subject)).close();
      return { args, needs: [], extent: {}, kind };
    case "file.write": {
      const size = Buffer.byteLength(call.args.content);
      if (kind === "absent") {
        if (call.args.before !== undefined) throw new InvalidCall("before_differs");
        return one(size);
      }
      const { bytes } = await contentAt(roots, subject);
      const before = textOf(bytes);
      if (call.args.before !== undefined && call.args.before !== before) {
        throw new InvalidCall("before_differs");
      }
      const shown = before !== undefined && bytes.length <= maxShownBytes ? { before } : {};
      const measured = one(size, [itself]);
      return { ...measured, args: { ...args, ...shown } };
    }
    case "file.edit": {
      const { bytes } = await contentAt(roots, subject);
      return one(edited(bytes, call.args).length, [itself]);
    }
    case "file.append":
      await contentAt(roots, subject);
      return one(Buffer.byteLength(call.args.content), [itself]);
    case "file.move":
    case "file.copy": {
      requireApartPaths(call.args.from, call.args.to);
      if (kind !== "absent" && call.args.overwrite !== true) throw new InvalidCall("exists");
      const { bytes } = await contentAt(roots, call.args.from);
      const lost = kind === "absent" ? [] : [itself];
      if (lost.length > 0) await contentAt(roots, subject);
      const measured = one(bytes.length, [{ kind: "file", path: call.args.from }, ...lost]);
      return { ...measured, extent: { files: 1 + lost.length, bytes: bytes.length } };
    }
    case "folder.create":
      if (kind !== "absent") throw new InvalidCall("exists");
      return { args, needs: [], extent: { files: 0 }, kind };
    case "folder.delete": {
      const { files, entries, bytes } = await folderAt(roots, subject);
      if (entries > 0 && call.args.recursive !== true) throw new InvalidCall("not_empty");
      return { args, needs: [{ kind: "tree", path: subject }], extent: { files, bytes }, kind };
    }
  }
}

async function kindAt(roots: Roots, path: VirtualPath): Promise<Kind> {
  if (path.names.length === 0) return "folder";
  const { parent, name } = await roots.openParent(path);
  return kindOf(parent, name).finally(() => parent.close());
}

async function contentAt(roots: Roots, path: VirtualPath) {
  const { parent, name } = await roots.openParent(path);
  try {
    const file = await openChildFile(parent, name);
    return await readContent(file).finally(() => file.close());
  } finally {
    await parent.close();
  }
}

async function folderAt(roots: Roots, path: VirtualPath) {
  const directory = await roots.openDirectory(path);
  return measureDirectory(pathOf(directory)).finally(() => directory.close());
}
