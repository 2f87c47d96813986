// Contested sites by keyboard: from one to the next, and settled as one of its opinions says. Keys are the person's own
// (review/keys.js). They act on the site that has the focus, so that nothing is settled that is out of sight.
import { actionOf, belongsToControl, readLayout, useKeys } from "./review/keys.js";

const disputes = [...document.querySelectorAll(".dispute")];
let isSent = false;

const current = () => document.activeElement?.closest(".dispute") ?? null;

function go(dispute) {
  dispute?.focus({ preventScroll: true });
  dispute?.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const here = current();
  go(here ? disputes[disputes.indexOf(here) + by] : disputes[0]);
}

/** Settle as the opinion with this number says; without a focus the first site gets it. */
function settle(number) {
  const here = current();
  if (!here) return step(0);
  const button = here.querySelector(`[data-voice="${number}"] button`);
  if (button) button.form.requestSubmit(button);
}

const ACTS = {
  forward: () => step(1),
  back: () => step(-1),
  type: ({ digit }) => settle(digit),
  comment: () => (current() ?? disputes[0])?.querySelector("textarea")?.focus(),
  edit: () => current()?.querySelector("[data-map]")?.click(),
  undo: () => document.getElementById("take-back")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.target.matches("textarea") && event.key === "Escape") return go(current());
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || belongsToControl(event)) return;
  const wanted = actionOf(event);
  if (!wanted || !(wanted.action in ACTS)) return;
  event.preventDefault();
  ACTS[wanted.action](wanted);
});
// One word at a time: while the answer is awaited nothing else is sent.
document.addEventListener("submit", (event) => {
  if (isSent) event.preventDefault();
  isSent = true;
});
addEventListener("pageshow", () => (isSent = false));

useKeys(JSON.parse(document.getElementById("keys").textContent));
readLayout();
const isAfterSettling = new URLSearchParams(location.search).has("settled");
const goOnWith = document.getElementById(location.hash.slice(1)) ?? (isAfterSettling ? disputes.at(-1) : null);
goOnWith?.setAttribute("aria-describedby", "settled-words"); // told with it: the eye sees both
go(goOnWith);
