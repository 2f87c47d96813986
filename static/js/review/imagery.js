// The scenes under the open item: which one, in which band combination; and the pictures of what comes next.

import { pictureTask } from "./ahead.js";
import { dateOf, madeOf, WITHOUT_SCROLLING } from "./dates.js";
import { el } from "./dom.js";
import { Ground, pictureOf } from "./ground.js";
import { keycap } from "./keys.js";
import { cell, sheetUrl } from "./sheets.js";

const REMEMBERED = "mad-combination";

function remembered() {
  try {
    return localStorage.getItem(REMEMBERED) ?? "";
  } catch {
    return "";
  }
}

export class Imagery extends EventTarget {
  item = null;
  index = 0;
  #map;
  #ahead;
  #ground;
  #wish = remembered();

  constructor({ map, ahead }) {
    super();
    this.#map = map;
    this.#ahead = ahead;
    this.#ground = new Ground({ map, ahead, onShown: () => this.dispatchEvent(new Event("shown")) });
  }

  get scene() {
    return this.item?.scenes[this.index] ?? null;
  }
  get combinations() {
    return this.scene?.combinations ?? [];
  }
  get combination() {
    return this.scene ? this.combinationOf(this.scene) : null;
  }

  /** The combination in which a scene is shown: the one that was chosen where it has that. */
  combinationOf({ combinations }) {
    return combinations.find(({ id }) => id === this.#wish) ?? combinations[0] ?? null;
  }

  show(item, { keepView = false } = {}) {
    this.item = item;
    this.index = 0;
    this.#draw({ fit: !keepView });
  }

  fit() {
    if (this.item) this.#ground.fit(this.item);
  }

  choose(combination) {
    this.#wish = combination;
    try {
      localStorage.setItem(REMEMBERED, combination);
    } catch {
      // not remembered, but shown
    }
    this.#draw();
  }

  nextCombination() {
    const ids = this.combinations.map(({ id }) => id);
    if (ids.length) this.choose(ids[(ids.indexOf(this.combination.id) + 1) % ids.length]);
  }

  step(by) {
    const count = this.item?.scenes.length ?? 0;
    if (count < 2) return;
    this.index = (this.index + by + count) % count;
    this.#draw();
  }

  chooseScene(index) {
    this.index = index;
    this.#draw();
  }

  #draw(view = {}) {
    this.#ground.show(this.item, this.scene, this.combination?.id, view);
    this.dispatchEvent(new Event("change"));
  }

  /** What shows an item on the map, to be fetched before it is needed. */
  groundTasks(item) {
    const scene = item.scenes[0];
    const combination = scene && this.combinationOf(scene);
    const picture = combination && pictureOf(this.#map, item, scene, combination.id);
    return picture ? [pictureTask(picture.url)] : [];
  }

  /** A small picture of a scene around an item, in its first combination where none is named. */
  cell(item, scene, combination) {
    return cell(this.#ahead, item, scene, combination);
  }

  /** The small pictures of an item. */
  sheetTasks(item, count = WITHOUT_SCROLLING) {
    return item.scenes
      .slice(0, count)
      .map((scene) => sheetUrl(item, scene))
      .filter(Boolean)
      .map((url) => pictureTask(url, "low"));
  }
}

/** The bar of band combinations and dates over the map. */
export function drawBands(box, imagery, actions) {
  const { scene, combination, item } = imagery;
  if (!scene) return box.replaceChildren();
  const buttons = imagery.combinations.map(({ id, name }) =>
    el("button", {
      type: "button",
      class: "over",
      "aria-pressed": String(id === combination?.id),
      text: name,
      on: { click: () => imagery.choose(id) },
    }),
  );
  const count = item.scenes.length;
  const label = `${dateOf(scene)}${count > 1 ? ` · ${imagery.index + 1} of ${count}` : ""}`;
  const dates = el(
    "span",
    { class: "over dates", title: madeOf(scene) || scene.name },
    count > 1 && el("button", { type: "button", class: "bare", "aria-label": "previous scene", on: { click: actions.previousScene } }, keycap("previousScene")),
    el("span", { text: label }),
    count > 1 && el("button", { type: "button", class: "bare", "aria-label": "next scene", on: { click: actions.nextScene } }, keycap("nextScene")),
  );
  box.replaceChildren(...buttons, dates, ...(scene.synthetic ? [el("span", { class: "over synthetic", text: "synthetic image" })] : []));
}
