/** Names of keys as browsers have them, and X's for those that differ. */
const names: Readonly<Record<string, string>> = {
  Enter: "Return",
  Escape: "Escape",
  Tab: "Tab",
  Space: "space",
  Backspace: "BackSpace",
  Delete: "Delete",
  Home: "Home",
  End: "End",
  PageUp: "Prior",
  PageDown: "Next",
  ArrowLeft: "Left",
  ArrowRight: "Right",
  ArrowUp: "Up",
  ArrowDown: "Down",
};
const modifiers: Readonly<Record<string, string>> = {
  Control: "ctrl",
  Alt: "alt",
  Shift: "shift",
  Meta: "super",
};

/** @returns undefined for a key that is not known here */
export function keysymOf(key: string): string | undefined {
  const parts = key.split("+");
  const last = parts.pop() ?? "";
  const held = parts.map((one) => (Object.hasOwn(modifiers, one) ? modifiers[one] : undefined));
  const isPlain = /^(?:[A-Za-z0-9]|F(?:[1-9]|1[0-2]))$/.test(last);
  const name = isPlain ? last : Object.hasOwn(names, last) ? names[last] : undefined;
  return name === undefined || held.includes(undefined) ? undefined : [...held, name].join("+");
}
