// The footprints of the scenes in the table: hovering one shows the other, a click opens the scene.
import { createMap, outline, textLines } from "./map.js";

const shapes = JSON.parse(document.getElementById("shapes").textContent);
const accent = getComputedStyle(document.documentElement).getPropertyValue("--map-accent").trim() || "#4cc2ff";
const map = createMap(document.getElementById("map"));
const PLAIN = { weight: 1.5, fillOpacity: 0.2 };
const LIT = { weight: 4, fillOpacity: 0.6 };
// Seen from afar a scene is smaller than a pixel: a dot stands for it.
const layers = shapes.map((shape) => {
  const area = outline(shape.geometry, { color: accent, ...PLAIN });
  const [lon, lat] = shape.centre;
  const dot = window.L.circleMarker([lat, lon], { radius: 4, color: accent, ...PLAIN });
  for (const layer of [area, dot]) layer.bindTooltip(textLines([shape.name]), { sticky: true });
  return window.L.featureGroup([area, dot])
    .on("click", () => location.assign(shape.href))
    .addTo(map);
});

function light(index, on) {
  layers[index]?.setStyle(on ? LIT : PLAIN);
  document.querySelector(`tr[data-scene="${index}"]`)?.setAttribute("aria-selected", String(on));
}

layers.forEach((layer, index) => {
  layer.on("mouseover", () => light(index, true));
  layer.on("mouseout", () => light(index, false));
});
for (const row of document.querySelectorAll("tr[data-scene]")) {
  const index = Number(row.dataset.scene);
  row.addEventListener("mouseenter", () => light(index, true));
  row.addEventListener("mouseleave", () => light(index, false));
  row.addEventListener("focusin", () => light(index, true));
  row.addEventListener("focusout", () => light(index, false));
}

const whole = window.L.featureGroup(layers).getBounds();
if (whole.isValid()) map.fitBounds(whole.pad(0.1), { maxZoom: 12, animate: false });
