import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmdirSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SmallDisk {
  path: string;
  /** Until not a byte is left. */
  fill(): Promise<void>;
  free(): Promise<void>;
  unmount(): void;
}

/** A file system in memory, of a size of the caller's own. @returns undefined where this user may mount none */
export function mountSmallDisk(megabytes: number): SmallDisk | undefined {
  const path = mkdtempSync(join(tmpdir(), "countersign-disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", path]);
  if (mounted.status !== 0) {
    rmdirSync(path);
    return undefined;
  }
  // As root PostgreSQL runs as another account, which has to pass through.
  chmodSync(path, 0o711);
  const ballast = join(path, "ballast");
  return {
    path,
    async fill() {
      const file = await open(ballast, "a");
      try {
        for (let size = 1 << 20; size >= 1; ) {
          // What others freed meanwhile is taken too.
          const written = await file.write(Buffer.alloc(size)).then(
            ({ bytesWritten }) => bytesWritten === size,
            () => false,
          );
          if (!written) size = Math.floor(size / 16);
        }
      } finally {
        await file.close();
      }
    },
    free: () => rm(ballast, { force: true }),
    unmount() {
      spawnSync("umount", ["-l", path]);
      rmdirSync(path);
    },
  };
}
