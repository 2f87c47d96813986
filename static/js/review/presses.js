// Presses of keys and buttons, and who gets them: a field, the mode, the map, or an act of the screen.

import { isOpen } from "./dialogs.js";
import { actionOf, belongsToControl, isOfBrowser } from "./keys.js";

const PAN_PX = 120;
const ONCE = "[data-act=accept], [data-act=reject], [data-act=unsure], [data-act=skip], .reasons button, .mode-acts button, .versions button";
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * @param {object} ctx acts (action -> function), touched() at every press, comment (its field), pan(x, y) in pixels;
 *   inMode(event) and type(digit) say whether they took the press
 */
export function listen({ acts, touched, comment, inMode, pan, type }) {
  function moveMap(event) {
    if (event.key in ARROWS) {
      const [x, y] = ARROWS[event.key];
      pan(x * PAN_PX, y * PAN_PX);
      return true;
    }
    if (event.key === "+" || event.code === "NumpadAdd" || event.code === "Equal") return acts.zoomIn(), true;
    // Not by the sign: on AZERTY it stands on the key of the digit 6.
    if (event.code === "Minus" || event.code === "NumpadSubtract") return acts.zoomOut(), true;
    return false;
  }

  function act(event) {
    const wanted = actionOf(event);
    if (!wanted) return false;
    if (wanted.action === "type") return type(wanted.digit);
    acts[wanted.action]();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    touched();
    // Enter held on a button would press it again and again: on the next site, or in the next dialog.
    if (event.repeat && event.key === "Enter" && event.target.closest?.("button")) return event.preventDefault();
    if (isOpen() || event.isComposing) return;
    if (event.target === comment && event.key === "Escape") return comment.blur();
    if (belongsToControl(event) || isOfBrowser(event)) return;
    if (event.repeat && !event.key.startsWith("Arrow")) return;
    if (inMode(event) || moveMap(event) || act(event)) event.preventDefault();
  });

  // A press by mouse must not take the focus: space would press the button again instead of accepting.
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest("[data-act], [data-press], .over, .thumb-button, .film button")) event.preventDefault();
  });
  // The second press of a double click would decide on what the first one has put in its place.
  addEventListener("click", (event) => event.detail === 2 && event.target.closest(ONCE) && event.stopImmediatePropagation(), true);
  document.addEventListener("click", (event) => {
    touched();
    const button = event.target.closest("[data-act]");
    if (button) acts[button.dataset.act]();
  });
}
