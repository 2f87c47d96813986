// The strip at the bottom: what was decided, what is open, what comes next.

import { el } from "./dom.js";

export const DONE_SHOWN = 3;
const AHEAD_SHOWN = 7;
const MARKS = { accept: "✓", fix: "✓", add: "+", reject: "✕", unsure: "?", skip: "→" };

function picture(item, cell) {
  const scene = item?.scenes[0];
  return (scene && cell(item, scene)) ?? el("span", { class: "no-picture", text: item ? "no image" : "" });
}

/** Make an element of a thing once: the strip changes with every decision, its pictures do not. */
function once(make) {
  const made = new WeakMap();
  return (thing, ...rest) => {
    if (!made.has(thing)) made.set(thing, make(thing, ...rest));
    return made.get(thing);
  };
}

const doneCell = once((step, cell, onBack) =>
  el(
    "li",
    { class: "done", data: { verdict: step.verdict } },
    el(
      "button",
      { type: "button", "aria-label": `${step.words}: look again`, title: `${step.words}: look again; nothing changes by looking`, on: { click: () => onBack(step) } },
      picture(step.item, cell),
      el("span", { class: "mark", "aria-hidden": "true", text: MARKS[step.verdict] ?? "✓" }),
    ),
  ),
);

const openCell = once((item, cell, onOpen) =>
  el(
    "li",
    {},
    el("button", { type: "button", "aria-label": `the open site, ${item.site}`, on: { click: onOpen } }, picture(item, cell)),
  ),
);

const aheadCell = once((item, cell, onJump) =>
  el(
    "li",
    {},
    el("button", { type: "button", "aria-label": `go on with site ${item.site}`, title: item.why || `site ${item.site}`, on: { click: () => onJump(item.site) } }, picture(item, cell)),
  ),
);

/** The last decisions, or those around the one that is looked at. */
function doneShown(steps, looked, current) {
  const done = steps.filter((step) => step === looked || (step.item && step.item.site !== current?.site));
  const end = looked ? Math.max(done.indexOf(looked) + 2, DONE_SHOWN) : done.length;
  return done.slice(0, end).slice(-DONE_SHOWN);
}

/** `cell(item, scene)` makes a small picture; `looked` is the decision that is looked at, null where it is the open site. */
export function drawFilm(list, { steps, looked, current, ahead, cell, onBack, onOpen, onJump }) {
  const mark = (element, isShown) => {
    element.classList.toggle("current", isShown);
    element.firstElementChild.disabled = isShown;
    if (isShown) element.setAttribute("aria-current", "true");
    else element.removeAttribute("aria-current");
    return element;
  };
  list.replaceChildren(
    ...doneShown(steps, looked, current).map((step) => mark(doneCell(step, cell, onBack), step === looked)),
    ...(current ? [mark(openCell(current, cell, onOpen), !looked)] : []),
    ...ahead.slice(0, AHEAD_SHOWN).map((item) => aheadCell(item, cell, onJump)),
  );
}
