import type { Curve } from "./row.js";

const width = 640;
const panelHeight = 220;
const margin = { left: 70, right: 20, top: 40, bottom: 44 };

const escapeText = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** All curves below each other as one SVG, each from zero. */
export function drawCurves(curves: readonly Curve[]): string {
  const panels = curves.map((curve, index) => drawPanel(curve, index * panelHeight));
  const height = curves.length * panelHeight;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    "<title>What a cycle costs, against load and size</title>",
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...panels,
    "</svg>",
    "",
  ].join("\n");
}

function drawPanel({ title, x, y, points }: Curve, offset: number): string {
  const top = offset + margin.top;
  const bottom = offset + panelHeight - margin.bottom;
  const most = Math.max(...points.map(({ value }) => value), Number.MIN_VALUE);
  const xOf = (index: number): number =>
    margin.left + (index * (width - margin.left - margin.right)) / Math.max(1, points.length - 1);
  const yOf = (value: number): number => bottom - (value / most) * (bottom - top);
  const path = points.map(({ value }, index) => `${xOf(index)},${yOf(value).toFixed(1)}`).join(" ");
  const marks = points.map(
    ({ label, value }, index) =>
      `<circle cx="${xOf(index)}" cy="${yOf(value).toFixed(1)}" r="3" fill="#1f5f8b"/>` +
      `<text x="${xOf(index)}" y="${(yOf(value) - 8).toFixed(1)}" text-anchor="middle">${Number(value.toPrecision(3))}</text>` +
      `<text x="${xOf(index)}" y="${bottom + 16}" text-anchor="middle">${escapeText(label)}</text>`,
  );
  return [
    `<text x="${margin.left}" y="${offset + 18}" font-weight="bold">${escapeText(title)}</text>`,
    `<text x="${width / 2}" y="${bottom + 34}" text-anchor="middle">${escapeText(x)}</text>`,
    `<text x="10" y="${offset + 18}">${escapeText(y)}</text>`,
    `<line x1="${margin.left}" y1="${bottom}" x2="${width - margin.right}" y2="${bottom}" stroke="#888888"/>`,
    `<polyline points="${path}" fill="none" stroke="#1f5f8b" stroke-width="2"/>`,
    ...marks,
  ].join("\n");
}
