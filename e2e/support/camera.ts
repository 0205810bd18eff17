import encodeQr from "qr";

/** A QR code as rows of dark and light, for {@link holdBeforeCamera}. */
export const codeOf = (text: string): boolean[][] =>
  encodeQr(text, "raw", { ecc: "low", border: 4 }) as boolean[][];

/** In the page: a camera that sees this code. The browser of the tests has none of its own. */
export function holdBeforeCamera(rows: boolean[][]): void {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 640, height: 480 });
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  const side = Math.floor(440 / rows.length);
  const draw = () => {
    pen.fillStyle = "#b9b2a6";
    pen.fillRect(0, 0, 640, 480);
    for (const [y, row] of rows.entries()) {
      for (const [x, dark] of row.entries()) {
        pen.fillStyle = dark ? "#111" : "#eee";
        pen.fillRect(100 + x * side, 20 + y * side, side, side);
      }
    }
  };
  draw();
  // A stream gives a picture whenever something is drawn.
  setInterval(draw, 50);
  navigator.mediaDevices.getUserMedia = async () => canvas.captureStream();
}
