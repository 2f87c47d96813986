// One shape under the hand: Geoman for the pointer, the same moves by keys, and a stack of every state for undo.
/* global L */

import { isKeyOf } from "./keys.js";
import { areaHa, cornersOf, faultOf, geometryOf } from "./shapes.js";

const STEP_PX = 2;
const FAR_PX = 16;
const GEOMAN = { snappable: false, allowSelfIntersection: true, limitMarkersToCount: 120 };
const CROWDED = 40; // corners above which the middles of sides have no handle of their own
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const copy = (polygons) => structuredClone(polygons);
const toLatLngs = (polygons) => polygons.map((rings) => rings.map((ring) => ring.map(([lon, lat]) => [lat, lon])));

// Corners are reached by Tab through `key` below, in order; as a hundred nameless buttons they would be in the way.
L.Marker.mergeOptions({ keyboard: false });

/** Events: `change` whenever the outline is another. */
export class Editor extends EventTarget {
  #map;
  #layer;
  #mark = null;
  #states;
  #at = 0;
  #corner = -1;

  constructor(map, polygons, color) {
    super();
    this.#map = map;
    this.#states = [copy(polygons)];
    this.#layer = L.polygon(toLatLngs(polygons), { color, weight: 2.5, fillColor: color, fillOpacity: 0.1, className: "edited" }).addTo(map);
    this.#layer.on("pm:edit pm:vertexadded pm:vertexremoved", () => this.#drawn());
    this.#hold();
  }

  /** Let the pointer take hold of the shape. */
  #hold() {
    this.#layer.pm.enable({ ...GEOMAN, hideMiddleMarkers: this.corners > CROWDED });
  }

  get polygons() {
    return this.#states[this.#at];
  }
  get geometry() {
    return geometryOf(this.polygons);
  }
  get area() {
    return areaHa(this.polygons);
  }
  get fault() {
    return faultOf(this.polygons);
  }
  get changed() {
    return this.#at > 0;
  }
  get canRedo() {
    return this.#at < this.#states.length - 1;
  }
  get corners() {
    return cornersOf(this.polygons).length;
  }

  setColor(color) {
    this.#layer.setStyle({ color, fillColor: color });
  }

  undo() {
    if (!this.changed) return false;
    this.#at -= 1;
    this.#redraw();
    return true;
  }

  redo() {
    if (!this.canRedo) return false;
    this.#at += 1;
    this.#redraw();
    return true;
  }

  remove() {
    this.#layer.pm.disable();
    this.#layer.remove();
    this.#mark?.remove();
  }

  /**
   * A key press while this shape is edited.
   * @returns {string|null} what happened, in words for a screen reader; null where the key is not the editor's
   */
  key(event) {
    if (event.key in ARROWS) return this.#move(ARROWS[event.key], event.shiftKey ? FAR_PX : STEP_PX);
    if (event.key === "Tab") return this.#choose(event.shiftKey ? -1 : 1);
    if (isKeyOf("undo", event)) return this.#step(event.shiftKey);
    if (["Equal", "NumpadAdd"].includes(event.code) || event.key === "+") return this.#grow(1);
    if (["Minus", "NumpadSubtract"].includes(event.code) || event.key === "-") return this.#grow(-1);
    if (event.key === "Delete" || event.key === "Backspace") return this.#grow(-1);
    return null;
  }

  #step(forward) {
    if (forward) return this.redo() ? "outline: redone" : "nothing to redo";
    return this.undo() ? "outline: undone" : "nothing to undo in this outline";
  }

  /** The pointer changed the layer: take its state. */
  #drawn() {
    const nested = this.#layer.getLatLngs();
    const polygons = nested.map((rings) =>
      (Array.isArray(rings[0]) ? rings : [rings]).map((ring) => ring.map(({ lng, lat }) => [lng, lat])),
    );
    const kept = polygons.map((rings) => rings.filter((ring) => ring.length > 2)).filter((rings) => rings.length);
    if (kept.length) this.#push(kept);
  }

  #push(polygons) {
    if (JSON.stringify(polygons) === JSON.stringify(this.polygons)) return;
    this.#states = [...this.#states.slice(0, this.#at + 1), polygons].slice(-200);
    this.#at = this.#states.length - 1;
    this.#showCorner();
    this.dispatchEvent(new Event("change"));
  }

  #redraw() {
    this.#layer.pm.disable();
    this.#layer.setLatLngs(toLatLngs(this.polygons));
    this.#hold();
    this.#corner = Math.min(this.#corner, this.corners - 1);
    this.#showCorner();
    this.dispatchEvent(new Event("change"));
  }

  #commit(polygons) {
    this.#push(polygons);
    this.#redraw();
  }

  #choose(by) {
    const count = this.corners;
    this.#corner = this.#corner < 0 ? (by > 0 ? 0 : count - 1) : (this.#corner + by + count) % count;
    this.#showCorner();
    return `corner ${this.#corner + 1} of ${count}`;
  }

  #showCorner() {
    this.#mark?.remove();
    this.#mark = null;
    const place = cornersOf(this.polygons)[this.#corner];
    if (!place) return;
    const [lon, lat] = this.polygons[place.polygon][place.ring][place.index];
    this.#mark = L.circleMarker([lat, lon], { radius: 10, color: "#ffffff", weight: 3, fill: false, interactive: false }).addTo(this.#map);
    if (!this.#map.getBounds().contains([lat, lon])) this.#map.panTo([lat, lon], { animate: false });
  }

  #shifted([lon, lat], dx, dy) {
    const point = this.#map.latLngToContainerPoint([lat, lon]).add([dx, dy]);
    const moved = this.#map.containerPointToLatLng(point);
    return [moved.lng, moved.lat];
  }

  #move([dx, dy], step) {
    const polygons = copy(this.polygons);
    const place = cornersOf(polygons)[this.#corner];
    if (place) {
      const ring = polygons[place.polygon][place.ring];
      ring[place.index] = this.#shifted(ring[place.index], dx * step, dy * step);
    } else {
      for (const ring of polygons.flat()) ring.forEach((corner, index) => (ring[index] = this.#shifted(corner, dx * step, dy * step)));
    }
    this.#commit(polygons);
    return place ? `corner ${this.#corner + 1} moved` : "outline moved";
  }

  /** At a corner: insert one after it or remove it. Without one: the whole shape larger or smaller. */
  #grow(direction) {
    const polygons = copy(this.polygons);
    const place = cornersOf(polygons)[this.#corner];
    if (!place) {
      this.#scale(polygons, direction > 0 ? 1.1 : 1 / 1.1);
      this.#commit(polygons);
      return direction > 0 ? "larger" : "smaller";
    }
    const ring = polygons[place.polygon][place.ring];
    if (direction < 0) {
      if (ring.length <= 3) return "three corners are the fewest";
      ring.splice(place.index, 1);
      this.#commit(polygons);
      return `corner removed, ${this.corners} left`;
    }
    const [ax, ay] = ring[place.index];
    const [bx, by] = ring[(place.index + 1) % ring.length];
    ring.splice(place.index + 1, 0, [(ax + bx) / 2, (ay + by) / 2]);
    this.#corner += 1;
    this.#commit(polygons);
    return `corner inserted, ${this.corners} now`;
  }

  #scale(polygons, factor) {
    const corners = polygons.flat(2);
    const middle = [0, 1].map((axis) => corners.reduce((sum, corner) => sum + corner[axis], 0) / corners.length);
    for (const corner of corners) for (const axis of [0, 1]) corner[axis] = middle[axis] + (corner[axis] - middle[axis]) * factor;
  }
}
