// What is drawn over the scene: the open site, what its sources say, and the windows that are complete.
/* global L */

import { latLngBounds, outline, textLines } from "../map.js";
import { capital, hectares } from "./dom.js";

const NEUTRAL = "#ffffff";
const DASHES = { rejected: "1 5", "to review": "6 4" };

export class Outlines {
  #map;
  #site = null;
  #claims = L.layerGroup();
  #added = L.layerGroup();
  #areas = L.layerGroup();
  #neighbours = L.layerGroup();
  #label = null;
  #hidden = false;

  constructor(map) {
    this.#map = map;
    for (const group of [this.#areas, this.#neighbours, this.#claims, this.#added]) group.addTo(map);
  }

  /** Draw an item: its outline in the colour of its type, other sources' outlines thin and dashed. */
  show(item, { geometry, color, words }) {
    this.clear();
    if (!item) return;
    const shown = JSON.stringify(item.footprint);
    for (const claim of item.proposals) {
      if (JSON.stringify(claim.geometry) === shown) continue;
      const layer = outline(claim.geometry, { color: NEUTRAL, fill: 0, weight: 1.25, dashArray: "3 5", opacity: 0.75 });
      layer.bindTooltip(textLines([claim.source]), { sticky: true }).addTo(this.#claims);
    }
    this.#site = outline(geometry ?? item.footprint, { color: color ?? NEUTRAL, interactive: false }).addTo(this.#map);
    const bounds = this.#site.getBounds();
    if (bounds.isValid()) {
      this.#label = L.tooltip({ permanent: true, direction: "top", className: "site-label", interactive: false, offset: [0, -4] })
        .setLatLng([bounds.getNorth(), bounds.getCenter().lng])
        .setContent(textLines([words]))
        .addTo(this.#map);
    }
    this.#applyHidden();
  }

  clear() {
    this.#site?.remove();
    this.#label?.remove();
    this.#site = this.#label = null;
    this.#claims.clearLayers();
  }

  toggleHidden() {
    this.#hidden = !this.#hidden;
    this.#applyHidden();
    return this.#hidden;
  }

  #applyHidden() {
    this.#map.getContainer().classList.toggle("outlines-hidden", this.#hidden);
  }

  /** A missed mine that was just drawn stays in sight. */
  add(key, geometry, color, name) {
    const layer = outline(geometry, { color, dashArray: "7 4" });
    layer.madKey = key;
    layer.bindTooltip(textLines([`drawn: ${name || "mine"}`]), { sticky: true }).addTo(this.#added);
  }

  removeAdded(key) {
    this.#drop(this.#added, key);
  }

  /** The other sites in view, so that nobody draws again what the queue knows: thin, and rejected ones dotted. */
  showNeighbours(features, open) {
    this.#neighbours.clearLayers();
    for (const { id, geometry, properties } of features) {
      if (id === open) continue;
      const { color, state, type, name } = properties;
      const layer = outline(geometry, { color, fill: 0.03, weight: 1.5, opacity: 0.85, dashArray: DASHES[state] ?? null });
      layer.bindTooltip(textLines([`${name} · ${type}`, state]), { sticky: true }).addTo(this.#neighbours);
    }
  }

  /** A window in which everything is labelled. */
  addArea(key, geometry) {
    this.removeArea(key);
    const layer = outline(geometry, { color: "#3ecf8e", fill: 0.04, weight: 1.5, dashArray: "2 6", interactive: false });
    layer.madKey = key;
    layer.addTo(this.#areas);
  }

  removeArea(key) {
    this.#drop(this.#areas, key);
  }

  #drop(group, key) {
    group.eachLayer((layer) => layer.madKey === key && group.removeLayer(layer));
  }
}

/** The label at an outline: "open pit 0.71 · 63 ha". */
export function wordsFor(option, area) {
  const score = option?.score === null || option?.score === undefined ? "" : ` ${option.score.toFixed(2)}`;
  return `${option ? capital(option.name) + score : "Type not said"}${area > 0 ? ` · ${hectares(area)}` : ""}`;
}

/** The part of a scene that is in view, as a GeoJSON polygon; null where nothing of it is. */
export function windowInView(map, scene) {
  const view = map.getBounds();
  const ground = scene ? latLngBounds(scene.bounds) : view;
  const west = Math.max(view.getWest(), ground.getWest());
  const east = Math.min(view.getEast(), ground.getEast());
  const south = Math.max(view.getSouth(), ground.getSouth());
  const north = Math.min(view.getNorth(), ground.getNorth());
  if (west >= east || south >= north) return null;
  const ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
  return { type: "Polygon", coordinates: [ring.map(([lon, lat]) => [Number(lon.toFixed(7)), Number(lat.toFixed(7))])] };
}
