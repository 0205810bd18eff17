import { h, render } from "preact";

/** The least that a page can do: fetch the text, show it, then show the picture. */
const answer = (await (await fetch("/text.json")).json()) as { rows: string[] };
render(
  h("main", null, [
    ...answer.rows.map((row) => h("p", null, row)),
    h("img", { src: "/picture.png", alt: "" }),
  ]),
  document.body,
);
