import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { drawCurves } from "./graph.js";
import { describeMachine } from "./machine.js";
import type { Findings, Line } from "./row.js";

const resultsFile = fileURLToPath(new URL("../RESULTS.md", import.meta.url));
const graphFile = fileURLToPath(new URL("../cost-against-load.svg", import.meta.url));

const head = ["what", "ours", "against", "ratio", "goal", "met"];

const cellsOf = ({ what, ours, against, ratio, goal }: Line): string[] => [
  what,
  ours,
  against,
  Number.isNaN(ratio) ? "-" : `${ratio.toFixed(2)}x`,
  goal.text,
  goal.text === "-" ? "-" : goal.isMet(ratio) ? "yes" : "no",
];

/** A Markdown table whose columns stand straight in a terminal too. */
export function renderTable(lines: readonly Line[]): string {
  const table = [head, ...lines.map(cellsOf)];
  const widths = head.map((_, column) =>
    Math.max(...table.map((cells) => cells[column]?.length ?? 0)),
  );
  const render = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [render(head), rule, ...table.slice(1).map(render)].join("\n");
}

/** Writes RESULTS.md and its graph from a whole run; part of one is only printed. */
export async function writeReport(
  found: ReadonlyMap<string, Findings>,
  run: { long: boolean; seconds: number },
): Promise<void> {
  const all = [...found.values()];
  const curves = all.flatMap((findings) => findings.curves ?? []);
  const notes = all.flatMap((findings) => findings.notes ?? []);
  const command = run.long ? "npm run bench -- --long" : "npm run bench";
  const text = [
    "# Measured",
    "",
    `By \`${command}\`, which wrote this page in ${run.seconds} s. Every figure stands beside a limit or a peer that ran in the same run, turn by turn;`,
    "the ratio is the median of the turns' own ratios, so that it holds where absolute figures do not.",
    "",
    ...describeMachine().map((line) => `- ${line}`),
    "",
    renderTable(all.flatMap(({ lines }) => lines)),
    "",
    ...notes.map((note) => `- ${note}`),
    "",
    "![Cost against load](cost-against-load.svg)",
    "",
  ].join("\n");
  await writeFile(resultsFile, text);
  await writeFile(graphFile, drawCurves(curves));
  console.error(`Written: ${resultsFile}`);
}
