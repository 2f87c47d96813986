// All imagery as a layer of a map, for orientation: the latest or the cleanest scenes in each place, below all else.
/* global L */

import { day, el } from "./review/dom.js";

const PANE = "mosaics";
const REMEMBERED = "mad-mosaics";
const FINEST = 15; // two pixels of the map for each of 10 m
const REST_MS = 300;
const NONE = { order: "", combination: "" };

function remembered() {
  try {
    return { ...NONE, ...JSON.parse(localStorage.getItem(REMEMBERED) ?? "{}") };
  } catch {
    return NONE;
  }
}

const fill = (address, words) => Object.entries(words).reduce((text, [name, value]) => text.replace(`{${name}}`, value), address);

/** Numbers of the tile in the middle of a map. */
function middleOf(map, least) {
  const z = Math.max(least, Math.min(FINEST, Math.round(map.getZoom())));
  const { x, y } = map.project(map.getCenter().wrap(), z).divideBy(256).floor();
  const last = 2 ** z - 1;
  return { z, x: Math.max(0, Math.min(last, x)), y: Math.max(0, Math.min(last, y)) };
}

/** What a few scenes are, in words. */
function wordsFor(scenes) {
  if (!scenes.length) return "no imagery here";
  const [first, ...more] = scenes;
  const others = more.length ? `, then ${more.length} more` : "";
  return `${first.acquired_at ? day(first.acquired_at) : "no date"} ${first.name}${others}`;
}

/**
 * Offer the layers on a map.
 * @param {L.Map} map from `createMap`
 * @param {{tiles: string, scenes: string, orders: string[], combinations: object[], least_zoom: number} | null} layers
 */
export function offerMosaics(map, layers) {
  if (!layers) return;
  map.createPane(PANE).style.zIndex = 150; // above the basemap, below a scene that is looked at
  let { order, combination } = remembered();
  if (!layers.orders.includes(order)) order = "";
  if (!layers.combinations.some(({ id }) => id === combination)) combination = layers.combinations[0].id;
  let layer = null;
  let asked = 0;
  let timer;

  const option = (value, text, chosen) => Object.assign(el("option", { value, text }), { selected: value === chosen });
  const orders = el("select", { "aria-label": "Mosaic of all imagery", on: { change: () => choose({ order: orders.value }) } }, option("", "no mosaic", order), ...layers.orders.map((one) => option(one, `${one} mosaic`, order)));
  const bands = el("select", { "aria-label": "Bands of the mosaic", on: { change: () => choose({ combination: bands.value }) } }, ...layers.combinations.map(({ id, name }) => option(id, name, combination)));
  const about = el("p", { class: "small" });
  const box = el("div", { class: "map-mosaics", role: "group", "aria-label": "Imagery of all scenes" }, orders, bands, about);

  function choose(choice) {
    ({ order, combination } = { order, combination, ...choice });
    try {
      localStorage.setItem(REMEMBERED, JSON.stringify({ order, combination }));
    } catch {
      // not remembered, but shown
    }
    draw();
  }

  function draw() {
    if (layer) map.forget(layer);
    layer?.remove();
    bands.hidden = about.hidden = !order;
    layer = order
      ? L.tileLayer(layers.tiles, { order, combination, pane: PANE, minZoom: layers.least_zoom, maxNativeZoom: FINEST, maxZoom: map.getMaxZoom(), keepBuffer: 1 }).addTo(map)
      : null;
    tell();
  }

  /** Say what the middle of the map shows. */
  async function tell() {
    const mine = ++asked;
    if (!layer) return;
    if (Math.round(map.getZoom()) < layers.least_zoom) {
      map.forget(layer);
      about.textContent = "Come closer: imagery is not drawn from so far away.";
      return;
    }
    const answer = await fetch(fill(layers.scenes, { order, combination, ...middleOf(map, layers.least_zoom) }), { headers: { Accept: "application/json" } }).catch(() => null);
    const told = answer?.ok ? await answer.json().catch(() => null) : null;
    if (mine !== asked) return;
    about.textContent = told ? wordsFor(told.scenes) : "It cannot be said now which scenes these are.";
    const said = (told?.scenes ?? []).map(({ attribution }) => attribution).filter(Boolean);
    map.say(layer, [...new Set(said)].join("; "));
  }

  // Who chose with the mouse goes on with the keys of the screen, which a choice that keeps the focus would swallow.
  let isByMouse = false;
  box.addEventListener("pointerdown", () => (isByMouse = true));
  box.addEventListener("keydown", () => (isByMouse = false));
  box.addEventListener("change", ({ target }) => isByMouse && target.blur());

  const control = L.control({ position: "topright" });
  control.onAdd = () => box;
  control.addTo(map);
  L.DomEvent.disableClickPropagation(box);
  L.DomEvent.disableScrollPropagation(box);
  map.on("moveend", () => {
    clearTimeout(timer);
    timer = setTimeout(tell, REST_MS);
  });
  draw();
}
