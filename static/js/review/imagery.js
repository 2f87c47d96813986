// The scenes under the open item: which one, in which band combination; and the tiles of what comes next.
/* global L */

import { fitBounds, latLngBounds, sceneThumbUrl, sceneTileUrl, showScene } from "../map.js";
import { day, el } from "./dom.js";
import { keycap } from "./keys.js";

const REMEMBERED = "mad-combination";
const MAX_ZOOM = 16;
const MARGIN = 0.4;
const KEEP_IMAGES = 600;
const DATES_AHEAD = 3; // as many as the card shows without scrolling

function remembered() {
  try {
    return localStorage.getItem(REMEMBERED) ?? "";
  } catch {
    return "";
  }
}

/** Grow bounds to at least a share of a degree, so that a point has surroundings too. */
export function roomy([west, south, east, north], least = 0.01) {
  const growX = Math.max(0, least - (east - west)) / 2;
  const growY = Math.max(0, least - (north - south)) / 2;
  return [west - growX, south - growY, east + growX, north + growY];
}

export class Imagery extends EventTarget {
  item = null;
  index = 0;
  #map;
  #layer = null;
  #wish = remembered();
  #fetched = new Map(); // url -> Image, so that the browser keeps it decoded

  constructor(map) {
    super();
    this.#map = map;
  }

  get scene() {
    return this.item?.scenes[this.index] ?? null;
  }
  get combinations() {
    return this.scene?.combinations ?? [];
  }
  get combination() {
    return this.combinations.find(({ id }) => id === this.#wish) ?? this.combinations[0] ?? null;
  }

  show(item, { keepView = false } = {}) {
    this.item = item;
    this.index = 0;
    if (!item) return this.#draw();
    if (!keepView) this.fit();
    this.#draw();
  }

  fit() {
    if (this.item) fitBounds(this.#map, roomy(this.item.bounds), { maxZoom: MAX_ZOOM, margin: MARGIN });
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

  /** The small picture of a scene around the open item, in the combination that the map shows where it has that. */
  thumbOf(scene, item = this.item) {
    const shown = scene.combinations.find(({ id }) => id === this.#wish) ?? scene.combinations[0];
    return shown ? sceneThumbUrl(scene, shown.id, roomy(item.bounds)) : null;
  }

  #draw() {
    const before = this.#layer;
    const { scene, combination } = this;
    this.#layer = scene && combination ? showScene(this.#map, scene, combination.id, { zIndex: 10 }) : null;
    if (before) {
      // The old picture stays below until the new one is there: no flash of bare ground.
      const drop = () => before.remove();
      before.setZIndex(1);
      if (this.#layer) {
        this.#layer.once("load", drop);
        setTimeout(drop, 1500);
      } else drop();
    }
    this.dispatchEvent(new Event("change"));
  }

  /** Fetch the tiles and pictures of an item before it is needed. */
  fetchAhead(item) {
    const scene = item.scenes[0];
    if (!scene) return;
    const combination = scene.combinations.find(({ id }) => id === this.#wish) ?? scene.combinations[0];
    if (!combination) return;
    for (const url of this.#tilesOf(item, scene, combination.id)) this.#fetch(url);
    this.#fetch(filmUrl(item));
    for (const { id } of scene.combinations) this.#fetch(sceneThumbUrl(scene, id, roomy(item.bounds)));
    if (item.scenes.length > 1) for (const date of item.scenes.slice(0, DATES_AHEAD)) this.#fetch(this.thumbOf(date, item));
  }

  #fetch(url) {
    if (!url || this.#fetched.has(url)) return;
    const image = new Image();
    image.decoding = "async";
    image.src = url;
    this.#fetched.set(url, image);
    if (this.#fetched.size > KEEP_IMAGES) this.#fetched.delete(this.#fetched.keys().next().value);
  }

  /** The tiles that the map will ask for when it shows the item: same zoom, same centre. */
  #tilesOf(item, scene, combination) {
    const map = this.#map;
    const bounds = latLngBounds(roomy(item.bounds)).pad(MARGIN);
    const zoom = Math.min(MAX_ZOOM, map.getBoundsZoom(bounds));
    const level = Math.round(zoom);
    const scale = map.getZoomScale(level, zoom);
    const half = map.getSize().divideBy(2).multiplyBy(scale);
    const centre = map.project(bounds.getCenter(), level);
    const [from, to] = [centre.subtract(half), centre.add(half)].map((corner) => corner.divideBy(256).floor());
    const within = latLngBounds(scene.bounds);
    const urls = [];
    for (let x = from.x; x <= to.x; x++) {
      for (let y = from.y; y <= to.y; y++) {
        const tile = L.latLngBounds(map.unproject([x * 256, y * 256], level), map.unproject([(x + 1) * 256, (y + 1) * 256], level));
        if (!tile.intersects(within)) continue;
        urls.push(L.Util.template(sceneTileUrl(scene, combination), { z: level, x, y }));
      }
    }
    return urls;
  }
}

/** The small picture of an item for the film strip, or null where it has no scene. */
export function filmUrl(item) {
  const scene = item.scenes[0];
  return scene?.combinations[0] ? sceneThumbUrl(scene, scene.combinations[0].id, roomy(item.bounds)) : null;
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
  const label = `${scene.acquired_at ? day(scene.acquired_at) : scene.kind}${count > 1 ? ` · ${imagery.index + 1} of ${count}` : ""}`;
  const dates = el(
    "span",
    { class: "over dates", title: `${scene.name} · ${scene.kind}` },
    count > 1 && el("button", { type: "button", class: "bare", "aria-label": "previous scene", on: { click: actions.previousScene } }, keycap("previousScene")),
    el("span", { text: label }),
    count > 1 && el("button", { type: "button", class: "bare", "aria-label": "next scene", on: { click: actions.nextScene } }, keycap("nextScene")),
  );
  box.replaceChildren(...buttons, dates, ...(scene.synthetic ? [el("span", { class: "over synthetic", text: "synthetic image" })] : []));
}
