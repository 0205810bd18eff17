import { isUtf8 } from "node:buffer";
import { InvalidCall } from "../gate/executor.js";

/** @returns undefined for octets that are no UTF-8: as text they would be other octets */
export const textOf = (bytes: Buffer): string | undefined =>
  isUtf8(bytes) ? bytes.toString() : undefined;

/**
 * Replaces a part of a file that occurs once, or everywhere with `replace_all`.
 * @throws InvalidCall `not_text`, `before_differs` where it does not occur, `before_ambiguous` where it does repeatedly
 */
export function edited(
  bytes: Buffer,
  edit: { before: string; after: string; replace_all?: boolean | undefined },
): Buffer {
  const text = textOf(bytes);
  if (text === undefined) throw new InvalidCall("not_text");
  const parts = text.split(edit.before);
  if (parts.length === 1) throw new InvalidCall("before_differs");
  if (parts.length > 2 && edit.replace_all !== true) throw new InvalidCall("before_ambiguous");
  return Buffer.from(parts.join(edit.after));
}
