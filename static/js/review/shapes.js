// Plain geometry on polygon coordinates: [[ring, hole, ...], ...], each ring [[lon, lat], ...] without the repeated end.

const EARTH_M = 6371008.8;
const RAD = Math.PI / 180;

/** GeoJSON polygon or multipolygon -> polygons; a point becomes a square of `side` metres; anything else null. */
export function polygonsOf(geometry, side = 240) {
  const open = (ring) => ring.slice(0, -1).map(([lon, lat]) => [lon, lat]);
  if (geometry.type === "Polygon") return [geometry.coordinates.map(open)];
  if (geometry.type === "MultiPolygon") return geometry.coordinates.map((polygon) => polygon.map(open));
  if (geometry.type === "Point") return [[squareAround(geometry.coordinates, side)]];
  return null;
}

export function squareAround([lon, lat], side) {
  const dy = side / 2 / (EARTH_M * RAD);
  const dx = dy / Math.max(0.05, Math.cos(lat * RAD));
  return [[lon - dx, lat - dy], [lon + dx, lat - dy], [lon + dx, lat + dy], [lon - dx, lat + dy]];
}

/** Polygons -> GeoJSON with closed rings and seven digits (a centimetre). */
export function geometryOf(polygons) {
  const round = (value) => Number(value.toFixed(7));
  const closed = polygons.map((polygon) =>
    polygon.map((ring) => [...ring, ring[0]].map(([lon, lat]) => [round(lon), round(lat)])),
  );
  return closed.length === 1
    ? { type: "Polygon", coordinates: closed[0] }
    : { type: "MultiPolygon", coordinates: closed };
}

function ringArea(ring) {
  let sum = 0;
  for (let i = 0; i < ring.length; i++) {
    const [lon1, lat1] = ring[i];
    const [lon2, lat2] = ring[(i + 1) % ring.length];
    sum += (lon2 - lon1) * RAD * (2 + Math.sin(lat1 * RAD) + Math.sin(lat2 * RAD));
  }
  return Math.abs((sum * EARTH_M * EARTH_M) / 2);
}

/** Area on the sphere, hectares: for the eye; the server computes the one that counts. */
export function areaHa(polygons) {
  const square = polygons.reduce(
    (all, [outer, ...holes]) => all + ringArea(outer) - holes.reduce((sum, hole) => sum + ringArea(hole), 0),
    0,
  );
  return square / 10000;
}

/** Every corner as {polygon, ring, index}, in the order in which Tab visits them. */
export function cornersOf(polygons) {
  return polygons.flatMap((rings, polygon) =>
    rings.flatMap((ring, number) => ring.map((_corner, index) => ({ polygon, ring: number, index }))),
  );
}

function sideOf([ax, ay], [bx, by], [cx, cy]) {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}

function cross(a, b, c, d) {
  return sideOf(a, b, c) * sideOf(a, b, d) < 0 && sideOf(c, d, a) * sideOf(c, d, b) < 0;
}

/** Whether a ring crosses itself; long rings are left to the server, which always checks. */
export function crossesItself(ring) {
  const count = ring.length;
  if (count > 600) return false;
  for (let i = 0; i < count; i++) {
    for (let j = i + 2; j < count; j++) {
      if (i === 0 && j === count - 1) continue;
      if (cross(ring[i], ring[(i + 1) % count], ring[j], ring[(j + 1) % count])) return true;
    }
  }
  return false;
}

/** What is wrong with an outline, in words, or "". */
export function faultOf(polygons) {
  if (polygons.some((rings) => rings.some((ring) => ring.length < 3))) return "an outline needs at least three corners";
  if (polygons.some((rings) => rings.some(crossesItself))) return "the outline crosses itself: move the corner back";
  if (areaHa(polygons) < 0.01) return "the outline is too small to be seen";
  return "";
}

/** An SVG path of a GeoJSON geometry within bounds [w, s, e, n], in a box of `size`; for small comparisons. */
export function pathOf(geometry, [west, south, east, north], size) {
  const scale = size / Math.max((east - west) * Math.cos(((south + north) / 2) * RAD), north - south, 1e-9);
  const narrow = Math.cos(((south + north) / 2) * RAD);
  const at = ([lon, lat]) => `${((lon - west) * narrow * scale).toFixed(1)} ${((north - lat) * scale).toFixed(1)}`;
  const polygons = polygonsOf(geometry) ?? [];
  return polygons.flatMap((rings) => rings.map((ring) => `M${ring.map(at).join("L")}Z`)).join("");
}

/** Bounds [w, s, e, n] of several geometries. */
export function boundsOf(geometries) {
  const corners = geometries.flatMap((geometry) => (polygonsOf(geometry) ?? []).flat(2));
  const lons = corners.map(([lon]) => lon);
  const lats = corners.map(([, lat]) => lat);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}
