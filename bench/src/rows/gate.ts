import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { median, ratioOf } from "../measure.js";
import { atMost, microseconds, type Row } from "../row.js";

const program = fileURLToPath(new URL("../load/gate-process.mjs", import.meta.url));

/** A green call through the gate, against the same question as a pre-parsed Cedar call with schema and request validation. */
export const gate: Row = {
  name: "gate",
  async run(bench) {
    const [rounds, window] = bench.smoke ? [1, 10] : [15, 400];
    const { stdout } = await promisify(execFile)(process.execPath, [
      program,
      String(rounds),
      String(window),
    ]);
    const found: { ours: number[]; bare: number[] } = JSON.parse(stdout);
    return {
      lines: [
        {
          what: "a green action through the gate",
          ours: microseconds(median(found.ours)),
          against: `a bare Cedar call ${microseconds(median(found.bare))}`,
          ratio: ratioOf(found.ours, found.bare),
          goal: atMost(1.5),
        },
      ],
    };
  },
};
