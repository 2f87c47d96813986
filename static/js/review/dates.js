// The scenes of the open item by date, as a strip of small pictures.

import { day, el } from "./dom.js";

export const WITHOUT_SCROLLING = 3;
export const dateOf = (scene) => (scene.acquired_at ? day(scene.acquired_at) : scene.name);

/** Pictures of the scenes, newest first; pressing one shows it on the map. */
export function drawDates(box, imagery) {
  const scenes = imagery.item?.scenes ?? [];
  box.hidden = scenes.length < 2;
  if (box.hidden) return box.replaceChildren();
  const place = scenes.length > WITHOUT_SCROLLING ? (box.querySelector(".dates-strip")?.scrollLeft ?? 0) : 0;
  const strip = el("div", { class: "dates-strip", role: "group", "aria-label": "Dates" }, ...scenes.map((scene, index) => picture(scene, index, imagery)));
  box.replaceChildren(el("h3", { text: `${scenes.length} dates` }), strip);
  if (scenes.length <= WITHOUT_SCROLLING) return; // nor asked where anything lies: that would lay the page out at once
  strip.scrollLeft = place;
  const shown = strip.children[imagery.index];
  if (shown.offsetLeft < strip.scrollLeft || shown.offsetLeft + shown.offsetWidth > strip.scrollLeft + strip.clientWidth) {
    strip.scrollLeft = shown.offsetLeft;
  }
}

function picture(scene, index, imagery) {
  const date = dateOf(scene);
  const kind = scene.kind === "composite" ? " composite" : "";
  return el(
    "button",
    {
      type: "button",
      class: "thumb-button",
      title: scene.name,
      "aria-pressed": String(index === imagery.index),
      "aria-label": `show the scene of ${date}${kind}`,
      on: { click: () => imagery.chooseScene(index) },
    },
    imagery.cell(imagery.item, scene, imagery.combinationOf(scene)?.id),
    el("span", { text: `${date}${kind}` }),
  );
}
