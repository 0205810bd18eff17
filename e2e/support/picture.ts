import { type Screenshot, sha256Text } from "@countersign/shared";
import type { Page } from "playwright-core";

interface Drawn {
  picture: Uint8Array<ArrayBuffer>;
  screenshot: Screenshot;
}

/** What the picture shows: a desk with a dialogue on it, one loud colour, or a forgery of the app's own bar. */
export type Motif = "desk" | "magenta" | "decision bar";

/** A picture as an agent would have taken one, drawn by the browser at hand. */
export async function draw(
  page: Page,
  motif: Motif,
  size: { width: number; height: number },
): Promise<Drawn> {
  const base64 = await page.evaluate(drawInPage, { motif, ...size });
  const picture = Uint8Array.from(Buffer.from(base64, "base64"));
  return {
    picture,
    screenshot: { sha256: sha256Text(picture), mime: "image/png", ...size },
  };
}

function drawInPage({ motif, width, height }: { motif: Motif; width: number; height: number }) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  const box = (colour: string, x: number, y: number, w: number, h: number) => {
    pen.fillStyle = colour;
    pen.fillRect(x, y, w, h);
  };
  const write = (text: string, x: number, y: number, font: string, colour = "#222") => {
    pen.font = `${font} sans-serif`;
    pen.fillStyle = colour;
    pen.fillText(text, x, y);
  };
  if (motif === "magenta") {
    box("#ff00ff", 0, 0, width, height);
  } else if (motif === "decision bar") {
    box("#ff00ff", 0, 0, width, height);
    box("#ffffff", 0, height - 150, width, 150);
    write("Match code      ABC-DEF", 20, height - 110, "20px");
    box("#0f5560", 130, height - 80, width - 150, 60);
    write("Approve with passkey", 160, height - 42, "bold 20px", "#fff");
  } else {
    box("#cfd8dc", 0, 0, width, height);
    box("#fff", 60, 60, width - 120, height - 120);
    box("#37474f", 60, 60, width - 120, 48);
    write("Files: /srv/reports", 80, 92, "22px", "#fff");
    for (let row = 0; row < 8; row++) write(`report-${2016 + row}.pdf`, 90, 150 + row * 40, "20px");
    box("#fafafa", width / 2 - 220, height / 2 - 90, 440, 190);
    write("Delete 8 items for good?", width / 2 - 190, height / 2 - 40, "26px");
    box("#b71c1c", width / 2 + 60, height / 2 + 20, 130, 50);
    write("Delete", width / 2 + 92, height / 2 + 53, "22px", "#fff");
  }
  return canvas.toDataURL("image/png").replace(/^[^,]*,/, "");
}
