// One site on its ground: the outline that stands, and the one of an event of its life while that is pointed at.
import { createMap, fitBounds, outline, showScene } from "./map.js";

const site = JSON.parse(document.getElementById("site").textContent);
const map = createMap(document.getElementById("map"));
if (site.scene) showScene(map, site.scene, site.scene.combination);
fitBounds(map, site.bounds, { margin: 1, maxZoom: 15 });
outline(site.footprint, { color: site.color, fill: 0.08, interactive: false }).addTo(map);

let pointed = null;
function show(geometry) {
  pointed?.remove();
  pointed = geometry ? outline(geometry, { color: "#4cc2ff", fill: 0.2, dashArray: "6 5", interactive: false }).addTo(map) : null;
}
for (const item of document.querySelectorAll("[data-event]")) {
  const geometry = site.events[Number(item.dataset.event)];
  for (const event of ["mouseenter", "focus"]) item.addEventListener(event, () => show(geometry));
  for (const event of ["mouseleave", "blur"]) item.addEventListener(event, () => show(null));
}
