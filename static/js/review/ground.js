// The imagery on the map: one picture of the whole view, as fine as the scene is, which is there at once; and tiles,
// as soon as somebody looks beyond it.
/* global L */

import { latLngBounds, sceneThumbUrl, showScene } from "../map.js";
import { roomy } from "./sheets.js";

const MAX_ZOOM = 16;
const MARGIN = 0.4; // around a site, in shares of its size
const SPARE = 0.08; // beyond the view on each side
const LEAST_PX = 64;
const MOST_PX = 1024; // as the server allows
const METRES = 111320; // a degree of latitude

/** Centre and zoom at which a map shows an item. */
function viewOf(map, item) {
  const bounds = latLngBounds(roomy(item.bounds)).pad(MARGIN);
  const zoom = Math.min(MAX_ZOOM, map.getBoundsZoom(bounds));
  const [a, b] = [bounds.getSouthWest(), bounds.getNorthEast()].map((corner) => map.project(corner, zoom));
  return { centre: map.unproject(a.add(b).divideBy(2), zoom), zoom };
}

/** The picture that a map shows of an item: {url, bounds}; null beyond the edge of the world's map. */
export function pictureOf(map, item, scene, combination) {
  const { centre, zoom } = viewOf(map, item);
  const half = map.getSize().divideBy(2).multiplyBy(1 + SPARE);
  const middle = map.project(centre, zoom);
  const bounds = L.latLngBounds(map.unproject(middle.subtract(half), zoom), map.unproject(middle.add(half), zoom));
  const box = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
  if (box[0] < -180 || box[2] > 180 || box[1] < -85 || box[3] > 85) return null;
  const across = Math.max((box[2] - box[0]) * Math.cos((centre.lat * Math.PI) / 180), box[3] - box[1]) * METRES;
  const screen = 2 * Math.max(half.x, half.y) * Math.min(devicePixelRatio, 2);
  const size = Math.round(Math.max(LEAST_PX, Math.min(MOST_PX, screen, across / scene.pixel_m)));
  return { url: sceneThumbUrl(scene, combination, box, size), bounds, isFinest: size < Math.min(MOST_PX, screen) };
}

export class Ground {
  #map;
  #ahead;
  #onShown;
  #parts = null; // {picture, tiles, scene, combination, isFinest, zoom}
  #beyond = () => this.#addTiles();

  /** @param {object} parts map, ahead, and onShown(): what was last asked for is drawn, or there is nothing to draw */
  constructor({ map, ahead, onShown }) {
    this.#map = map;
    this.#ahead = ahead;
    this.#onShown = onShown;
    map.on("moveend", this.#beyond);
  }

  /** Show a scene under an item; what was shown before stays below until the new one is there. `fit` moves the map to the item. */
  show(item, scene, combination, { fit = false } = {}) {
    const before = this.#parts;
    this.#parts = null; // the map's move to the new item is no look beyond the old one
    if (item && fit) this.fit(item);
    this.#parts = item && scene && combination ? this.#make(item, scene, combination) : null;
    this.#addTiles();
    if (before) this.#replace(before);
    this.#tellWhenShown(this.#parts);
  }

  fit(item) {
    const { centre, zoom } = viewOf(this.#map, item);
    this.#map.setView(centre, zoom, { animate: false });
  }

  #make(item, scene, combination) {
    const found = pictureOf(this.#map, item, scene, combination);
    const parts = { picture: null, tiles: null, scene, combination, zoom: viewOf(this.#map, item).zoom, isFinest: found?.isFinest };
    if (found) {
      const fetched = this.#ahead.get(found.url);
      parts.isThere = Boolean(fetched);
      parts.picture = L.imageOverlay(fetched?.isConnected === false ? fetched : found.url, found.bounds, { pane: "tilePane", zIndex: 5 }).addTo(this.#map);
      this.#map.say(parts.picture, scene.attribution);
    }
    return parts;
  }

  /** Tiles are for who looks beyond the picture, or closer than it is fine. */
  #addTiles() {
    const parts = this.#parts;
    if (!parts || parts.tiles) return;
    const isBeyond = !parts.picture?.getBounds().contains(this.#map.getBounds());
    const isCloser = !parts.isFinest && this.#map.getZoom() > parts.zoom + 0.5;
    if (!isBeyond && !isCloser) return;
    parts.tiles = showScene(this.#map, parts.scene, parts.combination, { zIndex: 6 });
  }

  #replace(before) {
    const drop = () => this.#drop(before);
    const after = this.#parts?.tiles ?? this.#parts?.picture;
    if (!after || this.#parts.isThere) return drop();
    before.picture?.setZIndex(1);
    before.tiles?.setZIndex(2);
    after.once("load error", drop);
    setTimeout(drop, 1500);
  }

  #tellWhenShown(parts) {
    const layer = parts?.tiles ?? parts?.picture;
    const isThere = !layer || parts.isThere;
    this.#setBusy(!isThere);
    if (isThere) return this.#onShown();
    layer.once("load", () => parts === this.#parts && this.#onShown());
    layer.once("load error", () => parts === this.#parts && this.#setBusy(false));
  }

  #setBusy(isBusy) {
    this.#map.getContainer().setAttribute("aria-busy", String(isBusy));
  }

  #drop({ picture, tiles }) {
    if (picture) this.#map.forget(picture);
    picture?.remove();
    tiles?.remove();
  }
}
