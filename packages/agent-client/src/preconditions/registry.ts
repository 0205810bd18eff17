import { bytes32, type Precondition, sha256Text } from "@countersign/shared";
import * as z from "zod/mini";
import { ClientError } from "../errors.js";
import type { Roots } from "../executors/roots.js";
import { virtualFile, virtualTree } from "../executors/virtual-measures.js";
import { fileSha256 } from "./file.js";
import { treeSha256 } from "./tree.js";

/**
 * Measures a subject: the SHA-256 (base64url) of what must still be so when the action is executed. Whatever it
 * throws means "cannot be measured": at the request that refuses, just before the effect it counts as a change.
 */
export type Measure = (subject: string) => Promise<string>;

/** How each kind of precondition is measured. */
export type Measures = Readonly<Record<string, Measure>>;

const builtIn: Measures = { file: fileSha256, tree: treeSha256 };

/**
 * Kind `page_region`: what a region of a page looks like. The agent's own code takes the picture; the library
 * takes its hash. The same region must give the same bytes for as long as nothing changed.
 */
export function pageRegion(capture: (subject: string) => Promise<Uint8Array>): Measure {
  return async (subject) => sha256Text(await capture(subject));
}

/**
 * @param roots what virtual paths (`vfs://...`) are below; without, they cannot be measured
 * @throws ClientError `invalid_options` for a kind that is built in
 */
export function createMeasures(own: Measures = {}, roots?: Roots): Measures {
  const taken = Object.keys(own).find((kind) => Object.hasOwn(builtIn, kind));
  if (taken !== undefined) throw new ClientError("invalid_options", { detail: "preconditions" });
  return roots
    ? {
        ...own,
        file: whichever(virtualFile(roots), fileSha256),
        tree: whichever(virtualTree(roots), treeSha256),
      }
    : { ...own, ...builtIn };
}

const whichever =
  (ofVirtual: Measure, ofReal: Measure): Measure =>
  (subject) =>
    subject.startsWith("vfs://") ? ofVirtual(subject) : ofReal(subject);

export type Capture =
  | { ok: true; preconditions: Precondition[] }
  | { ok: false; code: "precondition_unknown" | "precondition_unreadable" };

/** The state of the world that goes into the action: measured by the library, never told by the model. */
export async function capturePreconditions(
  wanted: readonly { kind: string; subject: string }[],
  measures: Measures,
): Promise<Capture> {
  if (wanted.some(({ kind }) => !Object.hasOwn(measures, kind))) {
    return { ok: false, code: "precondition_unknown" };
  }
  const preconditions: Precondition[] = [];
  for (const { kind, subject } of wanted) {
    const sha256 = await measure(measures, kind, subject);
    if (sha256 === undefined) return { ok: false, code: "precondition_unreadable" };
    preconditions.push({ kind, subject, sha256 });
  }
  return { ok: true, preconditions };
}

/** One precondition that no longer holds; `now` is absent where the subject can no longer be measured. */
export interface ChangedPrecondition {
  kind: string;
  subject: string;
  approved: string;
  now?: string;
}

export async function changedPreconditions(
  approved: readonly Precondition[],
  measures: Measures,
): Promise<ChangedPrecondition[]> {
  const changed: ChangedPrecondition[] = [];
  for (const { kind, subject, sha256 } of approved) {
    const now = await measure(measures, kind, subject);
    if (now === sha256) continue;
    changed.push({ kind, subject, approved: sha256, ...(now === undefined ? {} : { now }) });
  }
  return changed;
}

async function measure(measures: Measures, kind: string, subject: string) {
  if (!Object.hasOwn(measures, kind)) return undefined;
  try {
    return z.safeParse(bytes32, await measures[kind]?.(subject)).data;
  } catch {
    return undefined;
  }
}
