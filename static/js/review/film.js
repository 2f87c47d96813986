// The strip at the bottom: what was decided, what is open, what comes next.

import { el } from "./dom.js";
import { filmUrl } from "./imagery.js";

const DONE_SHOWN = 3;
const MARKS = { accept: "✓", fix: "✓", add: "+", reject: "✕", unsure: "?", skip: "→" };

function picture(item) {
  const url = item ? filmUrl(item) : null;
  return url
    ? el("img", { src: url, alt: "", width: 60, height: 60, decoding: "async" })
    : el("span", { class: "no-picture", text: item ? "no image" : "" });
}

function doneCell(step, onBack) {
  return el(
    "li",
    { class: "done", data: { verdict: step.verdict } },
    el(
      "button",
      { type: "button", "aria-label": `${step.words}: look again`, title: `${step.words}: look again`, on: { click: () => onBack(step) } },
      picture(step.item),
      el("span", { class: "mark", "aria-hidden": "true", text: MARKS[step.verdict] ?? "✓" }),
    ),
  );
}

function aheadCell(item, onJump) {
  return el(
    "li",
    {},
    el("button", { type: "button", "aria-label": `go on with site ${item.site}`, title: item.why || `site ${item.site}`, on: { click: () => onJump(item.site) } }, picture(item)),
  );
}

export function drawFilm(list, { steps, current, ahead, onBack, onJump }) {
  const done = steps.filter((step) => step.item && !step.undone && step.item.site !== current?.site).slice(-DONE_SHOWN);
  list.replaceChildren(
    ...done.map((step) => doneCell(step, onBack)),
    ...(current ? [el("li", { class: "current", "aria-current": "true" }, el("span", { class: "frame" }, picture(current)), el("span", { class: "visually-hidden", text: `open: site ${current.site}` }))] : []),
    ...ahead.map((item) => aheadCell(item, onJump)),
  );
}
