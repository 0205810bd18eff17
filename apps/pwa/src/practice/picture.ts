import type { PracticePicture } from "./practice-request.js";

const size = { width: 960, height: 540 };
const button = { x: 380, y: 348, width: 200, height: 56 };

/** Draws a plain window with one button: what an agent's screen might look like. */
export async function drawPractice(text: string, label: string): Promise<PracticePicture> {
  const canvas = document.createElement("canvas");
  canvas.width = size.width;
  canvas.height = size.height;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  const box = (
    color: string,
    x: number,
    y: number,
    width: number,
    height: number,
    radius: number | number[] = 0,
  ) => {
    context.fillStyle = color;
    context.beginPath();
    context.roundRect(x, y, width, height, radius);
    context.fill();
  };
  const write = (words: string, color: string, font: string, y: number) => {
    context.fillStyle = color;
    context.font = font;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(words, size.width / 2, y);
  };
  box("#c9d3d6", 0, 0, size.width, size.height);
  box("#ffffff", 180, 90, 600, 360, 14);
  box("#e8ecee", 180, 90, 600, 44, [14, 14, 0, 0]);
  for (const [index, color] of ["#b9c3c7", "#b9c3c7", "#b9c3c7"].entries()) {
    box(color, 202 + index * 24, 105, 14, 14, 7);
  }
  write(text, "#26302f", "600 30px system-ui, sans-serif", 240);
  box("#0f5560", button.x, button.y, button.width, button.height, 10);
  write(label, "#ffffff", "600 24px system-ui, sans-serif", button.y + button.height / 2);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new Error("no picture");
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return { picture: { ...size, mime: "image/png", bytes }, target: button };
}
