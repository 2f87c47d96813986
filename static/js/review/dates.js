// The scenes of the open item by date, as a strip of small pictures; and what each is called.

import { capital, day, el } from "./dom.js";

export const WITHOUT_SCROLLING = 3;
const NAMED = 6;

/** What a scene is called: by its date, and by what it is where it is made of several. */
export function dateOf(scene) {
  if (scene.kind === "single") return scene.acquired_at ? day(scene.acquired_at) : scene.name;
  return scene.acquired_at ? `${scene.kind} ${day(scene.acquired_at)}` : `${scene.kind} ${scene.name}`;
}

/** Of a composite or mosaic, what it is made of, in words; nothing for a single date. */
export function madeOf({ kind, method, name, parts, acquired_at: from, acquired_until: until }) {
  if (kind === "single") return "";
  const days = [...new Set([from, until, ...parts.map((part) => part.acquired_at)].filter(Boolean).map(day))].sort();
  const what = capital([method, kind].filter(Boolean).join(" "));
  const told = parts.length ? `${what} of ${parts.length} scenes` : `${what} ${name}`;
  const more = parts.length > NAMED ? ` and ${parts.length - NAMED} more` : "";
  const names = parts.slice(0, NAMED).map((part) => part.name).join(kind === "mosaic" ? ", then " : ", ");
  return [told, days.length > 1 ? `${days[0]} to ${days.at(-1)}` : days[0]].filter(Boolean).join(", ") + (names ? `: ${names}${more}` : "");
}

const NOUNS = { single: "date", composite: "composite", mosaic: "mosaic" };

function counted(scenes) {
  const counts = Object.entries(NOUNS).map(([kind, noun]) => [scenes.filter((scene) => scene.kind === kind).length, noun]);
  return counts.filter(([count]) => count).map(([count, noun]) => `${count} ${noun}${count === 1 ? "" : "s"}`).join(", ");
}

/** Pictures of the scenes, newest first; pressing one shows it on the map. */
export function drawDates(box, imagery) {
  const scenes = imagery.item?.scenes ?? [];
  box.hidden = scenes.length < 2;
  if (box.hidden) return box.replaceChildren();
  const place = scenes.length > WITHOUT_SCROLLING ? (box.querySelector(".dates-strip")?.scrollLeft ?? 0) : 0;
  const strip = el("div", { class: "dates-strip", role: "group", "aria-label": "Dates" }, ...scenes.map((scene, index) => picture(scene, index, imagery)));
  const about = madeOf(imagery.scene);
  box.replaceChildren(el("h3", { text: counted(scenes) }), strip, ...(about ? [el("p", { class: "dim small", text: about })] : []));
  if (scenes.length <= WITHOUT_SCROLLING) return; // nor asked where anything lies: that would lay the page out at once
  strip.scrollLeft = place;
  const shown = strip.children[imagery.index];
  if (shown.offsetLeft < strip.scrollLeft || shown.offsetLeft + shown.offsetWidth > strip.scrollLeft + strip.clientWidth) {
    strip.scrollLeft = shown.offsetLeft;
  }
}

function picture(scene, index, imagery) {
  const date = dateOf(scene);
  return el(
    "button",
    {
      type: "button",
      class: "thumb-button",
      title: madeOf(scene) || scene.name,
      "aria-pressed": String(index === imagery.index),
      "aria-label": `show the scene of ${date}`,
      on: { click: () => imagery.chooseScene(index) },
    },
    imagery.cell(imagery.item, scene, imagery.combinationOf(scene)?.id),
    el("span", { text: date }),
  );
}
