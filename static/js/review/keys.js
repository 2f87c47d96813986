// Which key does what, by the key's place on the keyboard (KeyboardEvent.code), so that AZERTY works as QWERTY does.
// The table is data: a person's own keys are laid over it. Only the first key of an action can be changed.

import { el } from "./dom.js";

/** action -> {codes, label, text}; `label` is what is printed on the key of a US keyboard. */
export const KEYS = {
  accept: { codes: ["KeyA", "Space"], label: "A", text: "accept (or space)" },
  type: { codes: [], label: "1–9", text: "set the type" },
  reject: { codes: ["KeyX"], label: "X", text: "reject, then the key of a reason" },
  unsure: { codes: ["KeyU"], label: "U", text: "unsure" },
  skip: { codes: ["KeyS"], label: "S", text: "skip for now" },
  undo: { codes: ["KeyZ"], label: "Z", text: "undo the last decision" },
  back: { codes: ["Comma"], label: ",", text: "look back at your decisions, one by one" },
  forward: { codes: ["Period"], label: ".", text: "forward again, to the open site" },
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
  ["undo", "undo the last change of the outline (Shift: redo)"], // the key of that action
  ["Enter", "keep the outline"],
  ["Esc", "leave it as it was"],
];

// labelling/core/keymaps.py holds the server to the same places.
const FREE = /^(?:Key[A-Z]|Digit0|Bracket(?:Left|Right)|Semicolon|Quote|Backquote|(?:Intl)?Backslash|Comma|Period|Slash)$/;
const SIGNS = {
  BracketLeft: "[", BracketRight: "]", Semicolon: ";", Quote: "'", Backquote: "`", Backslash: "\\", IntlBackslash: "<",
  Comma: ",", Period: ".", Slash: "/",
};

/** Whether an action may have the key in this place: it types a sign and has no fixed meaning here. */
export const isFree = (code) => FREE.test(code);

export const CHANGEABLE = Object.keys(KEYS).filter((action) => isFree(KEYS[action].codes[0] ?? ""));

/** action -> place, of every key that can be changed; null where another action has taken the usual one. */
export function laidOver(own) {
  const taken = new Set(Object.values(own));
  const usual = ([code]) => (taken.has(code) ? null : code);
  return Object.fromEntries(CHANGEABLE.map((action) => [action, own[action] ?? usual(KEYS[action].codes)]));
}

let layout = null; // place -> letter of this keyboard, where the browser knows
let places = laidOver({});
let actions = actionsOf(places);

function actionsOf(map) {
  const others = Object.entries(KEYS).flatMap(([action, { codes }]) =>
    codes.slice(action in map ? 1 : 0).map((code) => [code, action]),
  );
  return new Map([...others, ...Object.entries(map).map(([action, code]) => [code, action])]);
}

/** From now on a person's own keys are in force. */
export function useKeys(own) {
  places = laidOver(own);
  actions = actionsOf(places);
  printLetters();
}

/** Ask the browser which letters this keyboard has, and print them. */
export async function readLayout() {
  layout = (await navigator.keyboard?.getLayoutMap?.().catch(() => null)) ?? null;
  if (layout) printLetters();
}

/** What is printed on the key in a place. */
export function letterAt(code) {
  return (layout?.get(code) ?? SIGNS[code] ?? code.replace(/^(?:Key|Digit)/, "")).toUpperCase();
}

/** The letter of an action's key. */
export function letterOf(action) {
  if (!(action in places)) return KEYS[action].label;
  return places[action] ? letterAt(places[action]) : "–";
}

/** The key of an action, to look at; it follows when the key is changed. */
export function keycap(action, { shift = false } = {}) {
  return el("kbd", { text: `${shift ? "⇧" : ""}${letterOf(action)}`, data: { keyOf: action, ...(shift ? { shift: "" } : {}) } });
}

function printLetters() {
  for (const element of document.querySelectorAll("[data-key-of]")) {
    element.textContent = `${"shift" in element.dataset ? "⇧" : ""}${letterOf(element.dataset.keyOf)}`;
  }
}

/** Whether the press is a shortcut of the browser or the system, such as its zoom. */
export const isOfBrowser = ({ ctrlKey, metaKey, altKey }) => ctrlKey || metaKey || altKey;

/** The action of a key press, or null. Digits come as {action: "type", digit}. */
export function actionOf(event) {
  if (event.key === "?") return { action: "help" };
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
  if (digit) return { action: "type", digit: Number(digit[1]) };
  const action = actions.get(event.code);
  return action ? { action } : null;
}

/** Whether a press is the key of an action. */
export const isKeyOf = (action, event) => actionOf(event)?.action === action;

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
