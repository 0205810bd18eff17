import type { FileHandle } from "node:fs/promises";
import { sha256Text } from "@countersign/shared";
import * as z from "zod/mini";
import { ExecutionError } from "../executors/execution-error.js";
import type { Roots } from "../executors/roots.js";
import { parseVirtualPath } from "../executors/virtual-path.js";
import { capture, captured, decodeName, fingerprint } from "./capture.js";
import { restore } from "./restore.js";
import type { Shadow } from "./shadow.js";

const snapshot = z.array(captured);

/** Where a snapshot is, and the hash that it is held to. */
export const snapshotReference = z.strictObject({ oid: z.string(), sha256: z.string() });
export type SnapshotReference = z.infer<typeof snapshotReference>;

/**
 * Keeps everything at the paths, durably.
 * @returns the reference, and the fingerprint of what was kept
 */
export async function takeSnapshot(
  roots: Roots,
  shadow: Shadow,
  paths: readonly string[],
  name: string,
): Promise<{ reference: SnapshotReference; fingerprint: string }> {
  const places = await Promise.all(
    paths.map((path) => at(roots, path, (parent, child) => capture(parent, child, shadow.put))),
  );
  const bytes = Buffer.from(JSON.stringify(places));
  const oid = await shadow.put(bytes);
  const files = places.flatMap(({ entries }, index) =>
    entries.flatMap((entry) =>
      entry.kind === "file" && entry.oid !== undefined
        ? [{ path: [`place-${index + 1}`, ...shownNames(entry.path)], oid: entry.oid }]
        : [],
    ),
  );
  await shadow.keep(name, [{ path: ["snapshot.json"], oid }, ...files]);
  return { reference: { oid, sha256: sha256Text(bytes) }, fingerprint: fingerprint(places) };
}

/** @throws ExecutionError `snapshot_damaged`; whatever keeps a file from being put back */
export async function restoreSnapshot(
  roots: Roots,
  shadow: Shadow,
  paths: readonly string[],
  { oid, sha256 }: SnapshotReference,
): Promise<void> {
  const bytes = await shadow.get(oid);
  const places = sha256Text(bytes) === sha256 ? readPlaces(bytes) : undefined;
  if (places?.length !== paths.length) throw new ExecutionError("snapshot_damaged");
  for (const [index, place] of places.entries()) {
    await at(roots, paths[index] ?? "", (parent, child) =>
      restore(parent, child, place, shadow.get),
    );
  }
  if ((await fingerprintOf(roots, paths)) !== fingerprint(places)) {
    throw new ExecutionError("not_restored");
  }
}

/** What is at the paths now. */
export async function fingerprintOf(roots: Roots, paths: readonly string[]): Promise<string> {
  return fingerprint(await Promise.all(paths.map((path) => at(roots, path, capture))));
}

const readPlaces = (bytes: Uint8Array) =>
  z.safeParse(snapshot, JSON.parse(Buffer.from(bytes).toString())).data;

/** A root has no name in anything that may be reached, so it is its own entry. */
async function at<T>(
  roots: Roots,
  path: string,
  use: (parent: FileHandle, name: string) => Promise<T>,
): Promise<T> {
  const virtual = parseVirtualPath(path);
  const { parent, name } =
    virtual.names.length > 0
      ? await roots.openParent(virtual)
      : { parent: await roots.openDirectory(virtual), name: "." };
  try {
    return await use(parent, name);
  } finally {
    await parent.close();
  }
}

/** Names that git and a terminal can take; what is restored goes by the snapshot, not by them. */
const shownNames = (path: string): string[] =>
  path === ""
    ? ["content"]
    : path
        .split("/")
        .map((name) =>
          encodeURIComponent(decodeName(name).toString("latin1")).replace(/^\.git/i, "%2Egit"),
        );
