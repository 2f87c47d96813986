// The strip at the bottom: what was decided, what is open, what comes next.

import { el } from "./dom.js";

const DONE_SHOWN = 3;
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
      { type: "button", "aria-label": `${step.words}: look again`, title: `${step.words}: look again`, on: { click: () => onBack(step) } },
      picture(step.item, cell),
      el("span", { class: "mark", "aria-hidden": "true", text: MARKS[step.verdict] ?? "✓" }),
    ),
  ),
);

const openCell = once((item, cell) =>
  el(
    "li",
    { class: "current", "aria-current": "true" },
    el("span", { class: "frame" }, picture(item, cell)),
    el("span", { class: "visually-hidden", text: `open: site ${item.site}` }),
  ),
);

const aheadCell = once((item, cell, onJump) =>
  el(
    "li",
    {},
    el("button", { type: "button", "aria-label": `go on with site ${item.site}`, title: item.why || `site ${item.site}`, on: { click: () => onJump(item.site) } }, picture(item, cell)),
  ),
);

/** `cell(item, scene)` makes a small picture. */
export function drawFilm(list, { steps, current, ahead, cell, onBack, onJump }) {
  const done = steps.filter((step) => step.item && !step.undone && step.item.site !== current?.site).slice(-DONE_SHOWN);
  list.replaceChildren(
    ...done.map((step) => doneCell(step, cell, onBack)),
    ...(current ? [openCell(current, cell)] : []),
    ...ahead.slice(0, AHEAD_SHOWN).map((item) => aheadCell(item, cell, onJump)),
  );
}
