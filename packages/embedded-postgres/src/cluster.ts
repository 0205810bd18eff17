import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, chown, lstat, mkdir, readdir, realpath, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { EmbeddedPostgresError } from "./errors.js";
import type { Owner } from "./owner.js";
import { environment } from "./programs.js";

const run = promisify(execFile);

/** Makes the parent if need be, and gives the one name that every process will know this directory by. */
export async function resolveDataDir(dataDir: string): Promise<string> {
  await mkdir(dirname(dataDir), { recursive: true });
  return join(await realpath(dirname(dataDir)), basename(dataDir));
}

/** @throws EmbeddedPostgresError `data_directory_foreign` when something else is there */
export async function hasCluster(dataDir: string): Promise<boolean> {
  const content = await readdir(dataDir).catch((): string[] => []);
  if (content.length > 0 && !content.includes("PG_VERSION")) {
    throw new EmbeddedPostgresError(
      "data_directory_foreign",
      `${dataDir} holds files but no PostgreSQL data: choose another data directory, or empty this one.`,
    );
  }
  return content.length > 0;
}

/** A kill half-way leaves only a directory beside it, which the next start replaces. */
export async function createCluster(
  dataDir: string,
  programs: string,
  owner: Owner,
): Promise<void> {
  const unfinished = `${dataDir}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await privateDirectory(unfinished, owner);
  // Who may connect is decided by the socket's directory, which only the server's account (and root) can enter: see socketDirectory.
  const access = ["--auth-local=trust", "--auth-host=reject", "--username=postgres"];
  const locale = [
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
  ];
  await run(
    join(programs, "bin", "initdb"),
    ["-D", unfinished, ...access, ...locale, "--no-instructions"],
    {
      ...owner,
      env: environment,
      cwd: "/",
    },
  );
  await rename(unfinished, dataDir);
}

/**
 * A directory for the Unix socket, in the temporary one: a socket's path must stay under 104 bytes (108 on Linux), which a data
 * directory's may not. The name comes from the data directory's, so that the next process finds it again.
 *
 * @throws EmbeddedPostgresError `socket_directory_unsafe` when another user made it first, to listen in
 */
export async function socketDirectory(dataDir: string, owner: Owner): Promise<string> {
  const parent = tmpdir().length <= 60 ? tmpdir() : "/tmp";
  const directory = join(
    parent,
    `countersign-${createHash("sha256").update(dataDir).digest("hex").slice(0, 16)}`,
  );
  await privateDirectory(directory, owner).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") {
      throw error;
    }
  });
  const found = await lstat(directory);
  const expected = owner?.uid ?? process.geteuid?.();
  if (!found.isDirectory() || found.uid !== expected || (found.mode & 0o077) !== 0) {
    throw new EmbeddedPostgresError(
      "socket_directory_unsafe",
      `${directory} belongs to another user or is open to others: remove it and start again.`,
    );
  }
  return directory;
}

/** @throws EEXIST; never adopts what is there */
async function privateDirectory(directory: string, owner: Owner): Promise<void> {
  await mkdir(directory, { mode: 0o700 });
  await chmod(directory, 0o700);
  if (owner) {
    await chown(directory, owner.uid, owner.gid);
  }
}
