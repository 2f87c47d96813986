// Which key does what, by the key's place on the keyboard (KeyboardEvent.code), so that AZERTY works as QWERTY does.
// The table is data: a person's own map is laid over it.

/** action -> {codes, label, text}; `label` is what is printed on the key of a US keyboard. */
export const KEYS = {
  accept: { codes: ["KeyA", "Space"], label: "A", text: "accept (or space)" },
  type: { codes: [], label: "1–9", text: "set the type" },
  reject: { codes: ["KeyX"], label: "X", text: "reject, then the key of a reason" },
  unsure: { codes: ["KeyU"], label: "U", text: "unsure" },
  skip: { codes: ["KeyS"], label: "S", text: "skip for now" },
  undo: { codes: ["KeyZ"], label: "Z", text: "undo the last decision" },
  edit: { codes: ["KeyE"], label: "E", text: "edit the outline" },
  draw: { codes: ["KeyN"], label: "N", text: "draw a missed mine" },
  complete: { codes: ["KeyC"], label: "C", text: "window complete: everything in it is labelled" },
  bands: { codes: ["KeyB"], label: "B", text: "next band combination" },
  hide: { codes: ["KeyH"], label: "H", text: "hide or show the outline" },
  previousScene: { codes: ["BracketLeft"], label: "[", text: "previous scene" },
  nextScene: { codes: ["BracketRight"], label: "]", text: "next scene" },
  compare: { codes: ["KeyD"], label: "D", text: "compare with another date, a line between" },
  comment: { codes: ["KeyM"], label: "M", text: "write a comment" },
  fit: { codes: ["KeyF"], label: "F", text: "fit the site into the view" },
  help: { codes: [], label: "?", text: "this list" },
  leave: { codes: ["Escape"], label: "Esc", text: "leave any mode" },
};

/** What keys do while an outline is edited or drawn. */
export const EDIT_KEYS = [
  ["Tab", "next corner (Shift: previous)"],
  ["← ↑ → ↓", "move the corner, or the whole shape before a corner is chosen (Shift: further)"],
  ["+ −", "larger or smaller; at a corner: insert one after it or remove it"],
  ["Z", "undo the last change of the outline (Shift: redo)"],
  ["Enter", "keep the outline"],
  ["Esc", "leave it as it was"],
];

const ACTION_OF = new Map(Object.entries(KEYS).flatMap(([action, { codes }]) => codes.map((code) => [code, action])));

/** The action of a key press, or null. Digits come as {action: "type", digit}. */
export function actionOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.key === "?") return { action: "help" };
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
  if (digit) return { action: "type", digit: Number(digit[1]) };
  const action = ACTION_OF.get(event.code);
  return action ? { action } : null;
}

/** Whether the press belongs to a field or a control and not to the screen. */
export function belongsToControl(event) {
  const target = event.target;
  if (!(target instanceof Element)) return false;
  if (target.closest("textarea, select, [contenteditable]")) return true;
  const input = target.closest("input");
  if (input?.type === "range") return /^(?:Arrow|Page|Home$|End$)/.test(event.key); // the letters stay those of the screen
  if (input && !["radio", "checkbox"].includes(input.type)) return true;
  const pressed = event.code === "Space" || event.key === "Enter";
  if (pressed && target.closest("button, a, summary, input")) return true;
  return Boolean(input) && event.key.startsWith("Arrow");
}

/** Print on each [data-key-of] the letter that this keyboard has in that place, where the browser knows. */
export async function printLetters(root) {
  const layout = await navigator.keyboard?.getLayoutMap?.().catch(() => null);
  if (!layout) return;
  for (const element of root.querySelectorAll("[data-key-of]")) {
    const letter = layout.get(KEYS[element.dataset.keyOf]?.codes[0]);
    if (letter) element.textContent = letter.toUpperCase();
  }
}
