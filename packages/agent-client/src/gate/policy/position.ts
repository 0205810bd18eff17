/** Where in a text: both count from 1, columns in characters. */
export interface Position {
  line: number;
  column: number;
}

/** Cedar's offsets are bytes of UTF-8; editors count characters. */
export function positionOf(text: string, byteOffset: number): Position {
  const before = new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, byteOffset));
  const lines = before.split("\n");
  return { line: lines.length, column: Array.from(lines.at(-1) ?? "").length + 1 };
}
