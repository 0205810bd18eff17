import { type FileHandle, link, lstat, mkdir, rename, rmdir, unlink } from "node:fs/promises";
import { type Action, type Json, sha256Text, utf8 } from "@countersign/shared";
import { isErrno } from "../home/durable-file.js";
import { createFile, readApproved, readContent, replaceContent } from "./content.js";
import { entryOf, namesIn, openChildFile } from "./directory.js";
import { edited, textOf } from "./edit.js";
import { ExecutionError } from "./execution-error.js";
import { type FileCall, requireApartPaths } from "./file-tools.js";
import { removeEntry, takeAside } from "./remove.js";
import type { Roots } from "./roots.js";
import { type VirtualPath, writePath } from "./virtual-path.js";

/** What a model is told at once. */
const maxEntriesTold = 10_000;

/**
 * Has the effect of an approved action. Whether a file was there is told by the action: one with a precondition
 * replaces or takes exactly that content, one without makes a file where there is none.
 */
export async function performFileCall(roots: Roots, call: FileCall, action: Action): Promise<Json> {
  const approved = (kind: "file" | "tree", path: VirtualPath): string | undefined =>
    action.preconditions.find((held) => held.kind === kind && held.subject === writePath(path))
      ?.sha256;
  const required = (
    kind: "file" | "tree",
    path: VirtualPath,
  ): { kind: typeof kind; sha256: string } => {
    const sha256 = approved(kind, path);
    if (sha256 === undefined) throw new ExecutionError("precondition_missing");
    return { kind, sha256 };
  };
  switch (call.tool) {
    case "file.read":
      return inParent(roots, call.args.path, (parent, name) => readFile(parent, name));
    case "folder.list":
      return list(await roots.openDirectory(call.args.path));
    case "file.write": {
      const { path, content, before } = call.args;
      const sha256 = approved("file", path);
      // What a person compared the new text with is what it replaces.
      if (before !== undefined && sha256Text(utf8(before)) !== sha256) {
        throw new ExecutionError("precondition_changed");
      }
      await put(roots, path, Buffer.from(content), sha256);
      return null;
    }
    case "file.edit":
    case "file.append": {
      const { path } = call.args;
      const { sha256 } = required("file", path);
      await inParent(roots, path, async (parent, name) => {
        const bytes = await approvedBytes(parent, name, sha256);
        const next =
          call.tool === "file.edit"
            ? edited(bytes, call.args)
            : Buffer.concat([bytes, Buffer.from(call.args.content)]);
        await replaceContent(parent, name, next, sha256);
      });
      return null;
    }
    case "file.copy": {
      const { from, to } = call.args;
      requireApartPaths(from, to);
      const { sha256 } = required("file", from);
      const bytes = await inParent(roots, from, (parent, name) =>
        approvedBytes(parent, name, sha256),
      );
      await put(roots, to, bytes, approved("file", to));
      return null;
    }
    case "file.move":
      requireApartPaths(call.args.from, call.args.to);
      return move(
        roots,
        call.args,
        required("file", call.args.from),
        approved("file", call.args.to),
      );
    case "file.delete":
      await inParent(roots, call.args.path, (parent, name) =>
        takeAside(parent, name, required("file", call.args.path), (aside) =>
          unlink(entryOf(parent, aside)),
        ),
      );
      return null;
    case "folder.create":
      await inParent(roots, call.args.path, makeFolder);
      return null;
    case "folder.delete": {
      const { path, recursive } = call.args;
      await inParent(roots, path, (parent, name) =>
        takeAside(parent, name, required("tree", path), (aside) =>
          recursive === true ? removeEntry(parent, aside) : rmdir(entryOf(parent, aside)),
        ),
      );
      return null;
    }
  }
}

async function inParent<T>(
  roots: Roots,
  path: VirtualPath,
  use: (parent: FileHandle, name: string) => Promise<T>,
): Promise<T> {
  const { parent, name } = await roots.openParent(path);
  try {
    return await use(parent, name);
  } finally {
    await parent.close();
  }
}

async function approvedBytes(parent: FileHandle, name: string, sha256: string): Promise<Buffer> {
  const { bytes, file } = await readApproved(parent, name, sha256);
  await file.close();
  return bytes;
}

const put = (roots: Roots, path: VirtualPath, bytes: Buffer, approved: string | undefined) =>
  inParent(roots, path, (parent, name) =>
    approved === undefined
      ? createFile(parent, name, bytes)
      : replaceContent(parent, name, bytes, approved),
  );

async function readFile(parent: FileHandle, name: string): Promise<Json> {
  const file = await openChildFile(parent, name);
  const { bytes, sha256 } = await readContent(file).finally(() => file.close());
  const text = textOf(bytes);
  return text === undefined
    ? { base64: bytes.toString("base64"), sha256 }
    : { content: text, sha256 };
}

async function list(directory: FileHandle): Promise<Json> {
  try {
    const names = (await namesIn(directory)).map((name) => name.toString()).sort();
    if (names.length > maxEntriesTold) throw new ExecutionError("too_large");
    const told: Json[] = [];
    for (const name of names) {
      const entry = await lstat(entryOf(directory, name)).catch(() => undefined);
      if (entry?.isFile()) told.push({ name, kind: "file", bytes: entry.size });
      else if (entry) told.push({ name, kind: entry.isDirectory() ? "folder" : "other" });
    }
    return told;
  } finally {
    await directory.close();
  }
}

/** The file itself goes, with whatever else it is; what it replaces must be what was approved. */
async function move(
  roots: Roots,
  { from, to }: { from: VirtualPath; to: VirtualPath },
  moved: { kind: "file" | "tree"; sha256: string },
  replaced: string | undefined,
): Promise<Json> {
  await inParent(roots, to, (into, newName) =>
    inParent(roots, from, (parent, name) =>
      takeAside(parent, name, moved, async (aside) => {
        const [source, target] = [entryOf(parent, aside), entryOf(into, newName)];
        if (replaced === undefined) {
          await link(source, target).catch((cause) => {
            if (isErrno(cause, "EEXIST")) throw new ExecutionError("exists", { cause });
            throw cause;
          });
          await unlink(source);
        } else {
          await approvedBytes(into, newName, replaced);
          await rename(source, target);
        }
        await into.sync();
      }),
    ),
  );
  return null;
}

async function makeFolder(parent: FileHandle, name: string): Promise<void> {
  await mkdir(entryOf(parent, name)).catch((cause) => {
    if (isErrno(cause, "EEXIST")) throw new ExecutionError("exists", { cause });
    throw cause;
  });
  await parent.sync();
}
