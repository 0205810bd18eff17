import { statfsSync } from "node:fs";
import { cpus, release, tmpdir, totalmem, type } from "node:os";

const fileSystems: Record<number, string> = {
  61267: "ext4",
  16914836: "tmpfs",
  1481003842: "xfs",
  2435016766: "btrfs",
};

/** What the figures depend on. */
export function describeMachine(): string[] {
  const processors = cpus();
  const { type: magic } = statfsSync(tmpdir());
  return [
    `${processors.length} x ${processors[0]?.model ?? "unknown"}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB of memory`,
    `${type()} ${release()}, Node ${process.versions.node}; data on ${fileSystems[magic] ?? `file system ${magic.toString(16)}`}`,
    "PostgreSQL 18 from npm with fsync and synchronous_commit on, on the same machine, by a Unix socket; load generators on the same machine too",
  ];
}
