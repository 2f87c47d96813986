// The area of a campaign: drawn on the map, read from a file or pasted. The text field is the truth; the map shows it,
// and every change of it asks the server how many sites there are (htmx, in the form).
import { createMap, fitBounds, outline } from "./map.js";
import { SiteTiles } from "./sitetiles.js";

const { L } = window;
const COLOR = "#56B4E9";
const DRAWING = { snappable: false, allowSelfIntersection: false, continueDrawing: false, tooltips: false };
const MAX_BYTES = 2_000_000; // as the server
const CROWDED = 500; // corners beyond this are not moved one by one

const text = document.querySelector("textarea[name=area]");
const said = document.getElementById("area-said");
const corners = document.getElementById("corners");
const { bounds, tiles } = JSON.parse(document.getElementById("outlook").textContent);
const map = createMap(document.getElementById("map"), bounds ? { bounds } : {});
const areas = L.featureGroup().addTo(map);
new SiteTiles(tiles, "").addTo(map);

/** The polygons of a GeoJSON object; an error where it is something else. */
function polygonsOf(value) {
  if (value?.type === "FeatureCollection") return value.features.flatMap(polygonsOf);
  if (value?.type === "Feature") return polygonsOf(value.geometry);
  if (value?.type === "Polygon") return [value.coordinates];
  if (value?.type === "MultiPolygon") return value.coordinates;
  throw new Error("it holds something that is no polygon");
}

function rounded(part) {
  return typeof part[0] === "number" ? part.slice(0, 2).map((value) => Number(value.toFixed(6))) : part.map(rounded);
}

function cornersOf(polygons) {
  return polygons.flat(2).length;
}

function shapes() {
  return areas.getLayers().flatMap((layer) => polygonsOf(layer.toGeoJSON()));
}

function put(polygon) {
  outline({ type: "Polygon", coordinates: polygon }, { color: COLOR, fill: 0.15 }).eachLayer((layer) => {
    layer.on("pm:edit", write);
    areas.addLayer(layer);
  });
}

function move(on) {
  corners.setAttribute("aria-pressed", String(on));
  areas.eachLayer((layer) => (on ? layer.pm.enable({ snappable: false, allowSelfIntersection: false }) : layer.pm.disable()));
}

function tell(words) {
  const count = areas.getLayers().length;
  said.textContent = words ?? (count ? `${count} polygon${count === 1 ? "" : "s"}.` : "Everywhere. Draw an area to limit it.");
  corners.disabled = count === 0 || cornersOf(shapes()) > CROWDED;
}

/** From the map into the field. */
function write() {
  const features = shapes().map((polygon) => ({
    type: "Feature",
    properties: {},
    geometry: { type: "Polygon", coordinates: rounded(polygon) },
  }));
  const value = features.length === 1 ? features[0].geometry : { type: "FeatureCollection", features };
  text.value = features.length ? JSON.stringify(value) : "";
  tell();
  text.dispatchEvent(new Event("change", { bubbles: true }));
}

/** From the field onto the map. */
function read({ look = true } = {}) {
  move(false);
  areas.clearLayers();
  try {
    if (text.value.trim()) polygonsOf(JSON.parse(text.value)).forEach(put);
    tell();
  } catch (error) {
    areas.clearLayers();
    tell(`This cannot be drawn: ${error.message}.`);
  }
  const box = areas.getLayers().length ? areas.getBounds() : null;
  if (look && box) fitBounds(map, [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()], { margin: 0.15 });
}

async function take(file) {
  if (file.size > MAX_BYTES) {
    tell(`${file.name} is too large: at most 2 MB are read.`);
    return;
  }
  text.value = await file.text();
  read();
  text.dispatchEvent(new Event("change", { bubbles: true }));
}

for (const button of document.querySelectorAll("[data-draw]")) {
  button.addEventListener("click", () => {
    move(false);
    map.pm.enableDraw(button.dataset.draw, { ...DRAWING, pathOptions: { color: COLOR } });
    tell("Click on the map; Esc leaves.");
  });
}
map.on("pm:create", ({ layer }) => {
  layer.remove();
  polygonsOf(layer.toGeoJSON()).forEach(put);
  write();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  map.pm.disableDraw();
  tell();
});
corners.addEventListener("click", () => move(corners.getAttribute("aria-pressed") !== "true"));
document.getElementById("clear").addEventListener("click", () => {
  move(false);
  map.pm.disableDraw();
  areas.clearLayers();
  write();
});
document.getElementById("area-file").addEventListener("change", (event) => {
  event.stopPropagation();
  const [file] = event.target.files;
  event.target.value = "";
  if (file) take(file);
});
text.addEventListener("input", () => read());
read();
// What the server refused comes first; a new campaign begins with its name.
const name = document.querySelector("[name=name]");
const refused = document.querySelector("#refused, .campaign [aria-invalid=true]");
(refused ?? (name.value ? null : name))?.focus();
