import { aboutAddress } from "../address.js";
import { type Descriptor, type Field, field, onScreen, optional, said } from "../descriptor.js";

const point = { x: optional(field.number("x")), y: optional(field.number("y")) };
const selector = field.text("element");
const url: Field = { word: "address", shape: "text", kind: "address", about: aboutAddress };

/** `mouse.*`, `keyboard.*` and `browser.*`. Where it lands is the library's word: the action's target. */
export const screen: Readonly<Record<string, Descriptor>> = {
  "keyboard.press": {
    fields: { keys: field.texts("keys") },
    sentence: ({ keys }, action) => `Press ${said(keys, "text")}${onScreen(action)}`,
  },
  "mouse.click": {
    fields: {
      ...point,
      button: optional(field.text("button")),
      count: optional(field.number("clicks")),
    },
    sentence: ({ x, y }, action) => {
      const at = x === undefined || y === undefined ? "" : ` at ${said(x)}, ${said(y)}`;
      return `Click${onScreen(action) || at}`;
    },
  },
  "mouse.drag": {
    fields: {
      from_x: field.number("from x"),
      from_y: field.number("from y"),
      to_x: field.number("to x"),
      to_y: field.number("to y"),
    },
    sentence: (args, action) =>
      `Drag from ${said(args["from_x"])}, ${said(args["from_y"])} to ${said(args["to_x"])}, ${said(args["to_y"])}${onScreen(action)}`,
  },
  "browser.navigate": { fields: { url }, sentence: ({ url: to }) => `Open ${said(to, "address")}` },
  "browser.click": {
    fields: { selector },
    sentence: ({ selector: which }, action) =>
      action.target?.element === undefined
        ? `Click on ${said(which)}${onScreen(action)}`
        : `Click${onScreen(action)}`,
  },
  "browser.type": {
    fields: { text: field.text("text"), selector, submit: optional(field.boolean("and send it")) },
    sentence: ({ text, selector: which, submit }, action) =>
      `Type ${said(text, "text")} into ${said(which)}${submit === true ? " and send it" : ""}${onScreen(action)}`,
  },
};
