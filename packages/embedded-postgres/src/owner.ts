import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { EmbeddedPostgresError } from "./errors.js";

/** The account that the server runs as; `undefined` means this process's own. */
export type Owner = { uid: number; gid: number } | undefined;

/** `nobody` on Linux: it exists everywhere, and initdb insists on an account that has a name. */
const nobody = { uid: 65534, gid: 65534 };

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** PostgreSQL refuses to run as root. A data directory that is there already says by its owner who ran it before. */
export async function ownerOf(dataDir: string): Promise<Owner> {
  if (!isRoot()) {
    return undefined;
  }
  const existing = await stat(dataDir).catch(() => undefined);
  return existing && existing.uid !== 0 ? { uid: existing.uid, gid: existing.gid } : nobody;
}

/** @throws EmbeddedPostgresError `data_directory_unreachable` when a closed parent keeps the server's account out. */
export async function requireReachable(dataDir: string, owner: Owner): Promise<void> {
  if (!owner) {
    return;
  }
  for (let parent = dirname(dataDir); ; parent = dirname(parent)) {
    const { mode, uid, gid } = await stat(parent);
    const search = uid === owner.uid ? 0o100 : gid === owner.gid ? 0o010 : 0o001;
    if ((mode & search) === 0) {
      throw new EmbeddedPostgresError(
        "data_directory_unreachable",
        `PostgreSQL does not run as root, and the account it runs as (uid ${owner.uid}) cannot enter ${parent}: ` +
          "choose a data directory under /var/lib, or start Countersign as an ordinary user.",
      );
    }
    if (parent === dirname(parent)) {
      return;
    }
  }
}
