// The list of keys, in which each can be changed by pressing another.

import { open } from "./dialogs.js";
import { el } from "./dom.js";
import { CHANGEABLE, EDIT_KEYS, isFree, isOfBrowser, keycap, KEYS, laidOver, letterAt } from "./keys.js";

const MODIFIERS = ["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock"];
const WHERE = {
  server: "kept for you, on every computer",
  browser: "kept in this browser, and on the server as soon as it answers",
  refused: "the server refused these keys; they are as they were",
};

const line = (cap, text) => el("div", { class: "key-line" }, cap, el("span", { text }));
const fixed = (key, text) => line(key in KEYS ? keycap(key) : el("kbd", { text: key }), text);
const columns = (...lines) => el("div", { class: "key-columns" }, ...lines);
const nameOf = (action) => KEYS[action].text.replace(/[:,(].*$/, "").trim();

/** The actions that share their key with another. */
function clashesIn(places) {
  const owners = Map.groupBy(CHANGEABLE.filter((action) => places[action]), (action) => places[action]);
  return [...owners.values()].filter((actions) => actions.length > 1);
}

/** Show the keys; `keymap` keeps what is changed. */
export function showKeys(keymap) {
  let places = keymap.places;
  let listening = null; // the action whose new key is awaited
  const said = el("p", { class: "note", role: "status" });
  const reset = el("button", { type: "button", class: "btn btn-small", text: "Usual keys", on: { click: () => change(laidOver({})) } });
  const rows = new Map(CHANGEABLE.map((action) => [action, rowOf(action)]));

  function rowOf(action) {
    const button = el("button", { type: "button", class: "key-press", on: { click: () => listen(action), blur: () => listening === action && listen(null) } });
    const clash = el("b", { class: "key-clash" });
    return { button, clash, element: el("div", { class: "key-line" }, button, el("span", {}, `${KEYS[action].text} `, clash)) };
  }

  function say(text, kind = "") {
    said.className = `note ${kind}`;
    said.textContent = text;
  }

  function draw() {
    const clashes = clashesIn(places);
    for (const [action, { button, clash }] of rows) {
      const letter = places[action] ? letterAt(places[action]) : "–";
      const others = clashes.find((actions) => actions.includes(action))?.filter((other) => other !== action) ?? [];
      clash.textContent = others.length ? `also: ${others.map(nameOf).join(", ")}` : "";
      button.classList.toggle("listening", listening === action);
      button.replaceChildren(el("kbd", { text: listening === action ? "…" : letter }));
      button.setAttribute("aria-label", `${nameOf(action)}: ${letter}. Change the key`);
    }
    reset.disabled = keymap.isUsual && !clashes.length;
    return clashes;
  }

  function listen(action) {
    listening = action;
    if (action) say(`Press the new key for “${nameOf(action)}”. Esc leaves it as it is.`);
    draw();
  }

  async function change(wanted) {
    places = wanted;
    listening = null;
    const clashes = draw();
    if (clashes.length) {
      const words = clashes.map((actions) => `${letterAt(places[actions[0]])} is both “${actions.map(nameOf).join("” and “")}”`);
      return say(`${words.join("; ")}: give one of them another key. Until then nothing is changed.`, "note-no");
    }
    const kept = await keymap.save(places);
    places = keymap.places;
    draw();
    say(`Keys: ${WHERE[kept]}.`, kept === "server" ? "note-ok" : "note-warn");
  }

  function take(event) {
    if (!listening || event.repeat || MODIFIERS.includes(event.key)) return;
    if (event.key === "Tab") return listen(null);
    event.preventDefault(); // also keeps Esc from closing the sheet
    if (event.key === "Escape") {
      say("Left as it is.");
      listening = null;
      draw();
    } else if (isFree(event.code) && !isOfBrowser(event)) change({ ...places, [listening]: event.code });
    else say("This key has a fixed meaning, or is no sign: press a letter, 0, or a sign such as , or [.", "note-warn");
  }

  const dialog = open("Keys", [
    el("p", { class: "dim", text: "Keys follow their place on the keyboard. Everything is also a button, by mouse or by Tab and Enter." }),
    el("div", { class: "row" }, said, el("span", { class: "grow" }), reset),
    columns(...Object.entries(KEYS).map(([action, { text }]) => rows.get(action)?.element ?? fixed(action, text))),
    el("h3", { text: "While an outline is edited or drawn" }),
    columns(...EDIT_KEYS.map(([key, text]) => fixed(key, text))),
    el("h3", { text: "The map" }),
    columns(fixed("← ↑ → ↓", "move"), fixed("+ −", "zoom")),
  ], { wide: true, className: "keys" });
  dialog.addEventListener("keydown", take);
  say("To change a key, press it here, then the new one.");
  draw();
}
