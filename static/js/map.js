// A map with scenes on it. Works with no basemap server: the ground is dark and the scenes bring their own tiles.
// Text from data only ever becomes a text node here; never hand data to Leaflet as HTML.
/* global L */

const BASE = "tile-base";
const MAX_ZOOM = 19;

/** The basemap of this installation: {url, attribution}, or null. */
function basemapOf(document) {
  const element = document.getElementById("basemap");
  const basemap = element ? JSON.parse(element.textContent) : null;
  return basemap && basemap.url ? basemap : null;
}

/** Attribution as plain text; several layers may say the same thing and it shows once. */
const TextAttribution = L.Control.extend({
  options: { position: "bottomright" },
  onAdd() {
    this._said = new Map();
    this._box = L.DomUtil.create("div", "map-attribution");
    return this._box;
  },
  say(layer, text) {
    this._said.set(layer, text);
    this._show();
  },
  forget(layer) {
    this._said.delete(layer);
    this._show();
  },
  _show() {
    const texts = new Set([...this._said.values()].filter(Boolean));
    this._box.textContent = [...texts].join(" · ");
  },
});

/**
 * Make a map in an element.
 * @param {HTMLElement} element
 * @param {{bounds?: number[], zoomControl?: boolean, keyboard?: boolean}} options bounds are [w, s, e, n] in degrees
 * @returns {L.Map} with `say(layer, text)` and `forget(layer)` for attribution
 */
export function createMap(element, options = {}) {
  const map = L.map(element, {
    attributionControl: false,
    zoomControl: false,
    keyboard: options.keyboard ?? true,
    minZoom: 2,
    maxZoom: MAX_ZOOM,
    zoomSnap: 0.25,
    zoomDelta: 1,
    wheelPxPerZoomLevel: 90,
    worldCopyJump: true,
    fadeAnimation: false,
    zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    markerZoomAnimation: false,
  });
  map.createPane(BASE).style.zIndex = 100;
  const attribution = new TextAttribution().addTo(map);
  map.say = (layer, text) => attribution.say(layer, text);
  map.forget = (layer) => attribution.forget(layer);
  if (options.zoomControl ?? true) L.control.zoom({ position: "topleft" }).addTo(map);
  L.control.scale({ imperial: false, position: "bottomright", maxWidth: 140 }).addTo(map);

  const basemap = basemapOf(element.ownerDocument);
  if (basemap) {
    const layer = L.tileLayer(basemap.url, { pane: BASE, maxZoom: MAX_ZOOM }).addTo(map);
    attribution.say(layer, basemap.attribution);
  }
  if (options.bounds) fitBounds(map, options.bounds);
  else map.setView([0, 0], 2);
  new ResizeObserver(() => map.invalidateSize({ pan: false })).observe(element);
  return map;
}

/** [w, s, e, n] as Leaflet wants it. */
export function latLngBounds([west, south, east, north]) {
  return L.latLngBounds([south, west], [north, east]);
}

/** The zoom at which bounds fit, with a margin of their own size and never closer than a pixel deserves. */
export function fitBounds(map, bounds, { maxZoom = 16, margin = 0.4 } = {}) {
  map.fitBounds(latLngBounds(bounds).pad(margin), { maxZoom, animate: false });
}

/** How addresses name a scene; of a mosaic its several numbers. */
const addressOf = ({ address, id, version }) => `/tiles/scenes/${address ?? id}/${version}`;

/** The tile address of a scene: the same contract as the server's `scene-tile`. */
export function sceneTileUrl(scene, combination, format = "webp") {
  return `${addressOf(scene)}/${encodeURIComponent(combination)}/{z}/{x}/{y}.${format}`;
}

/** The address of a small picture of a scene around bounds [w, s, e, n]. */
export function sceneThumbUrl(scene, combination, bounds, size = 128) {
  const name = encodeURIComponent(combination);
  return `${addressOf(scene)}/${name}/thumb.webp?${partOf(bounds, size)}`;
}

/** The address of such pictures in every combination of the scene, side by side. */
export function sceneSheetUrl(scene, bounds, size = 128) {
  return `${addressOf(scene)}/sheet.webp?${partOf(bounds, size)}`;
}

function partOf(bounds, size) {
  return `bbox=${bounds.map((value) => value.toFixed(6)).join(",")}&size=${size}`;
}

/**
 * A scene's tiles in a band combination.
 * @param {{id: number, version: string, bounds: number[], attribution: string, pixel_m?: number}} scene
 */
export function sceneLayer(scene, combination, options = {}) {
  return L.tileLayer(sceneTileUrl(scene, combination, options.format), {
    bounds: scene.bounds ? latLngBounds(scene.bounds) : undefined,
    maxNativeZoom: finestZoom(scene),
    maxZoom: MAX_ZOOM,
    keepBuffer: 1,
    updateWhenIdle: false,
    ...options,
  });
}

// Between whole zooms the browser leaves hairlines between tiles; one pixel of overlap closes them.
const initTile = L.GridLayer.prototype._initTile;
L.GridLayer.include({
  _initTile(tile) {
    initTile.call(this, tile);
    const { x, y } = this.getTileSize();
    tile.style.width = `${x + 1}px`;
    tile.style.height = `${y + 1}px`;
  },
});

/** The zoom whose tiles show about two pixels for each of the scene: closer ones would hold nothing more. */
function finestZoom({ pixel_m: pixel, bounds }) {
  if (!pixel || !bounds) return 16;
  const widest = 156543 * Math.cos((((bounds[1] + bounds[3]) / 2) * Math.PI) / 180); // metres of a pixel at zoom 0
  return Math.max(8, Math.min(MAX_ZOOM, Math.ceil(Math.log2(widest / pixel)) + 1));
}

/** Put a scene on the map with its attribution; returns the layer. */
export function showScene(map, scene, combination, options = {}) {
  const layer = sceneLayer(scene, combination, options).addTo(map);
  map.say(layer, scene.attribution);
  layer.on("remove", () => map.forget(layer));
  return layer;
}

/**
 * GeoJSON as an outline. `color` must be #rrggbb; anything else is drawn in the neutral colour.
 */
export function outline(geojson, { color = "#ffffff", fill = 0.12, weight = 2.5, ...options } = {}) {
  const safe = /^#[0-9a-fA-F]{6}$/.test(color) ? color : "#ffffff";
  const style = { color: safe, weight, fillColor: safe, fillOpacity: fill, ...options };
  return L.geoJSON(geojson, {
    style,
    interactive: options.interactive ?? true,
    pointToLayer: (_feature, latlng) => L.circleMarker(latlng, { ...style, radius: 9 }),
  });
}

/** A popup or tooltip content: one line of text per entry, as elements. */
export function textLines(lines) {
  const box = document.createElement("div");
  for (const line of lines.filter(Boolean)) {
    const row = document.createElement("div");
    row.textContent = line;
    box.append(row);
  }
  return box;
}
