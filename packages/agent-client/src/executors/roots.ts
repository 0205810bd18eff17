import { constants } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { isAbsolute, relative } from "node:path";
import { defaultHome } from "../cli/environment.js";
import { ClientError } from "../errors.js";
import { InvalidCall } from "../gate/executor.js";
import { openChildDirectory } from "./directory.js";
import { ExecutionError } from "./execution-error.js";
import type { VirtualPath } from "./virtual-path.js";

/** The directories that a model may work in, by the names it knows them by. */
export interface Roots {
  readonly names: readonly string[];
  /**
   * Where a root really is.
   * @throws InvalidCall `root_unknown`
   */
  directoryOf(root: string): string;
  /**
   * The directory that an entry is in, and the entry's name; to be closed by the caller.
   * @throws InvalidCall `root_unknown`, `path_invalid` for a root itself; ExecutionError
   */
  openParent(path: VirtualPath): Promise<{ parent: FileHandle; name: string }>;
  /** The directory itself; to be closed by the caller. */
  openDirectory(path: VirtualPath): Promise<FileHandle>;
}

/**
 * Node has no `openat`. On Linux `/proc/self/fd/<fd>/<name>` is the same thing: the kernel starts at the open
 * directory, whatever became of its path. Elsewhere nothing as safe can be had, so there are no roots there.
 * @param directories absolute paths by name (`a-z`, `0-9`, `-`)
 * @throws ClientError `invalid_options`
 */
export async function openRoots(directories: Readonly<Record<string, string>>): Promise<Roots> {
  if (process.platform !== "linux") {
    throw new ClientError("invalid_options", { detail: "files need Linux" });
  }
  const roots = new Map<string, Place>();
  for (const [name, path] of Object.entries(directories)) roots.set(name, await place(name, path));
  const find = (root: string): Place => {
    const found = roots.get(root);
    if (!found) throw new InvalidCall("root_unknown");
    return found;
  };
  const openDirectory = async ({ root, names }: VirtualPath) =>
    descend(await openPlace(find(root)), names);
  return {
    names: [...roots.keys()],
    directoryOf: (root) => find(root).path,
    openDirectory,
    async openParent({ root, names }) {
      const name = names.at(-1);
      if (name === undefined) throw new InvalidCall("path_invalid");
      return { parent: await openDirectory({ root, names: names.slice(0, -1) }), name };
    },
  };
}

interface Place {
  path: string;
  dev: bigint;
  ino: bigint;
}

async function place(name: string, path: string): Promise<Place> {
  const detail = `root ${name}`;
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name) || !isAbsolute(path)) {
    throw new ClientError("invalid_options", { detail });
  }
  const directory = await realpath(path).catch((cause) => {
    throw new ClientError("invalid_options", { cause, detail });
  });
  await requireApart(directory, defaultHome(), detail);
  const handle = await openAbsolute(directory);
  try {
    const { dev, ino } = await handle.stat({ bigint: true });
    return { path: directory, dev, ino };
  } finally {
    await handle.close();
  }
}

/**
 * Whoever can write the agent's home needs no approval: it is in no root, and no root is in it.
 * @throws ClientError `invalid_options`
 */
export async function requireApart(directory: string, home: string, detail: string): Promise<void> {
  const real = await realpath(home).catch(() => home);
  if (isWithin(directory, real) || isWithin(real, directory)) {
    throw new ClientError("invalid_options", { detail: `${detail}: the agent's home is there` });
  }
}

const isWithin = (outer: string, inner: string): boolean => {
  const between = relative(outer, inner);
  return between === "" || (!between.startsWith("../") && between !== "..");
};

const openAbsolute = (path: string): Promise<FileHandle> =>
  open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);

/** The very directory that was configured: what was put in its place is not. */
async function openPlace({ path, dev, ino }: Place): Promise<FileHandle> {
  const handle = await openAbsolute(path).catch((cause) => {
    throw new ExecutionError("root_changed", { cause });
  });
  const now = await handle.stat({ bigint: true });
  if (now.dev === dev && now.ino === ino) return handle;
  await handle.close();
  throw new ExecutionError("root_changed");
}

/** Closes what it came through, the first one included. */
async function descend(start: FileHandle, names: readonly string[]): Promise<FileHandle> {
  let directory = start;
  for (const name of names) {
    const from = directory;
    try {
      directory = await openChildDirectory(from, name);
    } finally {
      await from.close();
    }
  }
  return directory;
}
