import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { randomId } from "@countersign/shared";
import { openPrivateDirectory } from "../home/durable-file.js";

/** Octets by their content, in a bare git repository of the agent's own: `git --git-dir` shows what was kept. */
export interface Shadow {
  put(bytes: Uint8Array): Promise<string>;
  get(oid: string): Promise<Uint8Array>;
  /** Names what was put, so that git keeps it, and a person can look: `git show countersign/<name>`. */
  keep(name: string, files: readonly KeptFile[]): Promise<void>;
}

export interface KeptFile {
  path: readonly string[];
  oid: string;
}

const author = { name: "Countersign", email: "agent@localhost" };

/** The library is loaded when something is kept: most agents never get there. */
export async function openShadow(home: string): Promise<Shadow> {
  const git = await import("isomorphic-git");
  const gitdir = join(home, "shadow.git");
  await openPrivateDirectory(gitdir);
  const repository = { fs: { promises: { ...fs, writeFile } }, gitdir };
  await git.init({ ...repository, bare: true, defaultBranch: "countersign" });

  async function writeTree(files: readonly KeptFile[]): Promise<string> {
    const folders = new Map<string, KeptFile[]>();
    const tree: { path: string; mode: string; oid: string; type: "blob" | "tree" }[] = [];
    for (const { path, oid } of files) {
      const [first = "", ...rest] = path;
      if (rest.length === 0) tree.push({ path: first, mode: "100644", oid, type: "blob" });
      else folders.set(first, [...(folders.get(first) ?? []), { path: rest, oid }]);
    }
    for (const [path, inner] of folders) {
      tree.push({ path, mode: "040000", oid: await writeTree(inner), type: "tree" });
    }
    return git.writeTree({ ...repository, tree });
  }

  return {
    async put(blob) {
      // Most of a project is there from before: what the library would pack again first is only looked for.
      const { oid } = await git.hashBlob({ object: blob });
      const there = join(gitdir, "objects", oid.slice(0, 2), oid.slice(2));
      if (await isThere(there)) return oid;
      return git.writeBlob({ ...repository, blob });
    },
    get: async (oid) => (await git.readBlob({ ...repository, oid })).blob,
    async keep(name, files) {
      const tree = await writeTree(files);
      const ref = `refs/heads/countersign/${name}`;
      await git.commit({ ...repository, tree, ref, parent: [], author, message: `${name}\n` });
    },
  };
}

const isThere = (path: string): Promise<boolean> =>
  fs.access(path).then(
    () => true,
    () => false,
  );

/**
 * The library writes an object in place, and never again one that is there: a crash would leave half of it for good.
 * So a file appears whole, and only once it is durable.
 */
async function writeFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${randomId()}.tmp`);
  const file = await fs.open(temporary, "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await fs.rename(temporary, path);
}
