// A map layer of sites, fetched in tiles and drawn on one canvas: single sites where they are few, else circles that
// count them. Colours of a circle's rim are shares of the types. The server's `site-tile` has the rules.
import { outline } from "./map.js";

const { L } = window;
const TILE = 512; // a quarter of the requests of usual tiles
const LAST_ZOOM = 19;
const SMALL = 10; // pixels: an outline below this is a dot

/** A number in few characters: 940, 1.2k, 35k, 1.1M. */
export function short(number) {
  const [unit, sign] = number < 1e3 ? [1, ""] : number < 999_500 ? [1e3, "k"] : [1e6, "M"];
  const value = number / unit;
  return (sign && value < 9.95 ? value.toFixed(1) : String(Math.round(value))) + sign;
}

/** A circle with a rim of colours and its count; Leaflet hit-tests and redraws it like any other of its canvas. */
const Cluster = L.CircleMarker.extend({
  _updatePath() {
    const { _renderer: renderer, _point: at, _radius: radius } = this;
    if (!renderer._drawing || this._empty()) return;
    const { count, colors, lit } = this.options;
    const ctx = renderer._ctx;
    ctx.beginPath();
    ctx.arc(at.x, at.y, radius, 0, 2 * Math.PI);
    ctx.fillStyle = lit ? "#2a3644" : "#141b23";
    ctx.fill();
    ctx.lineWidth = 4;
    let from = -Math.PI / 2;
    for (const [color, part] of colors) {
      const to = from + (part / count) * 2 * Math.PI;
      ctx.beginPath();
      ctx.arc(at.x, at.y, radius - 2, from, to);
      ctx.strokeStyle = color;
      ctx.stroke();
      from = to;
    }
    ctx.fillStyle = "#ffffff";
    ctx.font = '600 11px "Inter", sans-serif';
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText(short(count), at.x, at.y + 0.5);
  },
});

function shifted(geometry, degrees) {
  const move = (part) => (typeof part[0] === "number" ? [part[0] + degrees, part[1]] : part.map(move));
  return degrees ? { ...geometry, coordinates: move(geometry.coordinates) } : geometry;
}

/**
 * The layer. Fires `enter`, `leave` and `pick` with {site, latlng} or {cluster, latlng}, `trouble` with {error}, and
 * `counted` when what is in view has changed.
 */
export const SiteTiles = L.GridLayer.extend({
  options: { tileSize: TILE, noWrap: true, keepBuffer: 1, updateWhenIdle: false, maxNativeZoom: LAST_ZOOM, maxZoom: LAST_ZOOM },

  initialize(template, query, options) {
    L.setOptions(this, options);
    this._template = template;
    this._query = query;
    this._held = new Map(); // tile element -> {fetching, keys}
    this._marks = new Map(); // key -> {mark, uses, count}; a site whose outline lies in two tiles is drawn once
    this.on("tileunload", ({ tile }) => this._drop(tile));
  },

  onAdd(map) {
    this._canvas = L.canvas({ padding: 0.3 });
    this._drawn = L.layerGroup().addTo(map);
    return L.GridLayer.prototype.onAdd.call(this, map);
  },

  onRemove(map) {
    L.GridLayer.prototype.onRemove.call(this, map);
    this._drawn.remove();
  },

  createTile(coords, done) {
    const tile = L.DomUtil.create("div");
    const held = { fetching: new AbortController(), keys: [] };
    this._held.set(tile, held);
    this._fetch(coords, held).then(
      () => done(null, tile),
      (error) => {
        if (error.name === "AbortError") return;
        this.fire("trouble", { error });
        done(error, tile);
      },
    );
    return tile;
  },

  /** How many sites are in view; exact unless a circle stands for some. */
  inView() {
    const seen = this._map.getBounds();
    let [count, exact] = [0, true];
    for (const entry of this._marks.values()) {
      if (entry.z !== this._tileZoom || !seen.contains(entry.latlng)) continue;
      count += entry.count;
      exact &&= !entry.isCluster;
    }
    return { count, exact };
  },

  async _fetch({ x, y, z }, held) {
    const across = 2 ** (z - 1); // a tile of 512 pixels is the tile of 256 one zoom further out
    const column = ((x % across) + across) % across;
    const turn = ((x - column) / across) * 360;
    const address = L.Util.template(this._template, { x: column, y, z: z - 1 });
    const answer = await fetch(`${address}?${this._query}`, {
      signal: held.fetching.signal,
      headers: { Accept: "application/json" },
    });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const { sites, clusters } = await answer.json();
    for (const site of sites) this._keep(held, `${site.id} ${turn} ${z}`, z, () => this._site(site, turn));
    clusters.forEach((cluster, index) =>
      this._keep(held, `circle ${index} ${x} ${y} ${z}`, z, () => this._cluster(cluster, turn)),
    );
  },

  _keep(held, key, z, make) {
    held.keys.push(key);
    const there = this._marks.get(key);
    if (there) {
      there.uses += 1;
      return;
    }
    const entry = { uses: 1, z, ...make() };
    this._marks.set(key, entry);
    this._drawn.addLayer(entry.mark);
  },

  _drop(tile) {
    const held = this._held.get(tile);
    if (!held) return;
    this._held.delete(tile);
    held.fetching.abort();
    for (const key of held.keys) {
      const entry = this._marks.get(key);
      entry.uses -= 1;
      if (entry.uses) continue;
      this._marks.delete(key);
      this._drawn.removeLayer(entry.mark);
    }
  },

  _site(site, turn) {
    const geometry = shifted(site.geometry, turn);
    const shape = { color: site.properties.color, renderer: this._canvas };
    let mark = outline(geometry, { ...shape, fill: 0.2, weight: 2 });
    const box = mark.getBounds();
    const latlng = box.getCenter();
    const [low, high] = [box.getSouthWest(), box.getNorthEast()].map((corner) => this._map.project(corner, this._tileZoom));
    if (Math.max(high.x - low.x, low.y - high.y) < SMALL) {
      mark = outline({ type: "Point", coordinates: [latlng.lng, latlng.lat] }, { ...shape, fill: 0.75, weight: 1 });
      mark.eachLayer((dot) => dot.setRadius(5));
    }
    this._tell(mark, { site });
    return { mark, latlng, count: 1, isCluster: false };
  },

  _cluster(cluster, turn) {
    const latlng = L.latLng(cluster.point[1], cluster.point[0] + turn);
    const radius = 13 + 3 * Math.log10(cluster.count);
    const { count, colors } = cluster;
    const mark = new Cluster(latlng, { radius, count, colors, renderer: this._canvas });
    mark.on("mouseover mouseout", ({ type }) => mark.setStyle({ lit: type === "mouseover" }));
    this._tell(mark, { cluster });
    return { mark, latlng, count, isCluster: true };
  },

  _tell(mark, what) {
    const names = { mouseover: "enter", mouseout: "leave", click: "pick" };
    for (const [event, name] of Object.entries(names)) {
      mark.on(event, ({ latlng, originalEvent }) => {
        if (originalEvent) L.DomEvent.stopPropagation(originalEvent);
        this.fire(name, { ...what, latlng });
      });
    }
  },
});
