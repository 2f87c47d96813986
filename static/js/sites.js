// The sites that fit the filter, fetched for the part of the map that is seen. A click opens the site's page.
import { createMap, fitBounds, outline, textLines } from "./map.js";

const { href, bounds } = JSON.parse(document.getElementById("sites").textContent);
const said = document.getElementById("map-count");
const map = createMap(document.getElementById("map"));
const shown = window.L.featureGroup().addTo(map);
const layers = new Map();
const renderer = window.L.canvas({ padding: 0.2 }); // thousands of marks
let asked = null;

function figure(number) {
  return number.toLocaleString("en").replaceAll(",", "\u202f");
}

function draw(site) {
  const { color, name, type, state, href: page } = site.properties;
  const areal = site.geometry.type !== "Point";
  const layer = outline(site.geometry, { color, fill: areal ? 0.2 : 0.75, weight: areal ? 2 : 1, renderer });
  layer.eachLayer((mark) => mark.setRadius?.(5));
  layer.bindTooltip(textLines([name, `${type}, ${state}`]), { sticky: true });
  layer.on("click", () => location.assign(page));
  layer.on("mouseover", () => light(site.id, true));
  layer.on("mouseout", () => light(site.id, false));
  layers.set(site.id, layer);
  shown.addLayer(layer);
}

function light(id, on) {
  layers.get(id)?.setStyle({ weight: on ? 5 : 2, fillOpacity: on ? 0.9 : 0.5 });
  document.querySelector(`tr[data-site="${id}"]`)?.setAttribute("aria-selected", String(on));
}

async function refresh() {
  asked?.abort();
  asked = new AbortController();
  const seen = map.getBounds();
  const south = Math.max(seen.getSouth(), -90);
  const north = Math.min(seen.getNorth(), 90);
  const box = [seen.getWest(), south, seen.getEast(), north].map((value) => value.toFixed(5));
  const query = new URLSearchParams(location.search);
  query.delete("page");
  query.set("bbox", box.join(","));
  try {
    const answer = await fetch(`${href}?${query}`, { signal: asked.signal, headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const { features, total } = await answer.json();
    layers.clear();
    shown.clearLayers();
    features.forEach(draw);
    const all = total > features.length ? `${figure(features.length)} of ${figure(total)} sites here: zoom in to see all` : "";
    said.textContent = all || `${figure(total)} ${total === 1 ? "site" : "sites"} in view`;
  } catch (error) {
    if (error.name !== "AbortError") said.textContent = `The map could not be filled: ${error.message}. Move it to try again.`;
  }
}

for (const row of document.querySelectorAll("tr[data-site]")) {
  const id = Number(row.dataset.site);
  for (const event of ["mouseenter", "focusin"]) row.addEventListener(event, () => light(id, true));
  for (const event of ["mouseleave", "focusout"]) row.addEventListener(event, () => light(id, false));
}
if (bounds) fitBounds(map, bounds, { margin: 0.1, maxZoom: 14 });
map.on("moveend", refresh);
refresh();
