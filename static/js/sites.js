// The sites that fit the filter, on a map beside their table. A click on a site tells what it is and leads to its page.
import { createMap, fitBounds, latLngBounds, textLines } from "./map.js";
import { offerMosaics } from "./mosaics.js";
import { figure } from "./review/dom.js";
import { SiteTiles } from "./sitetiles.js";

const { L } = window;
const CLOSER = 2; // zooms that a click on a circle goes
const { tiles, bounds, frame, mosaics } = JSON.parse(document.getElementById("sites").textContent);
const said = document.getElementById("map-count");
const map = createMap(document.getElementById("map"));
const query = new URLSearchParams(location.search);
query.delete("page");
if (bounds) fitBounds(map, bounds, { margin: 0.1, maxZoom: 14 });

const layer = new SiteTiles(tiles, query);
const hint = L.tooltip({ direction: "top", offset: [0, -6] });
const ring = L.circleMarker([0, 0], { radius: 10, color: "#ffffff", weight: 3, fill: false, interactive: false });
let failed = false;

/** Take all finds into view; those of a long list are too many for the page to have looked at each. */
async function frameAll() {
  const [center, zoom] = [map.getCenter(), map.getZoom()];
  const answer = await fetch(`${frame}?${query}`, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return; // the map is right as it is, only not the best
  const all = (await answer.json()).bounds;
  const isLeft = map.getZoom() !== zoom || !map.getCenter().equals(center);
  if (all && !isLeft && !map.getBounds().contains(latLngBounds(all))) fitBounds(map, all, { margin: 0.1, maxZoom: 14 });
}

function count() {
  if (failed) return;
  const { count: number, exact } = layer.inView();
  const sites = `${figure(number)} ${number === 1 ? "site" : "sites"} in view`;
  said.textContent = exact ? sites : `about ${sites}; a click on a circle goes closer`;
}

function mark(id, on) {
  document.querySelector(`tr[data-site="${id}"]`)?.setAttribute("aria-selected", String(on));
}

function about({ name, type, state }) {
  return [name, `${type}, ${state}`];
}

function panel(site) {
  const box = textLines(about(site.properties));
  const link = document.createElement("a");
  link.href = site.properties.href;
  link.textContent = "Open this site";
  box.append(link);
  return box;
}

layer.on("enter", ({ site, cluster, latlng }) => {
  const lines = site ? about(site.properties) : [`${figure(cluster.count)} sites`];
  hint.setLatLng(latlng).setContent(textLines(lines));
  map.openTooltip(hint);
  if (site) mark(site.id, true);
});
layer.on("leave", ({ site }) => {
  map.closeTooltip(hint);
  if (site) mark(site.id, false);
});
layer.on("pick", ({ site, cluster, latlng }) => {
  map.closeTooltip(hint);
  if (site) map.openPopup(panel(site), latlng);
  else if (map.getZoom() < map.getMaxZoom()) map.setView(latlng, Math.min(map.getZoom() + CLOSER, map.getMaxZoom()));
  else map.openPopup(textLines([`${figure(cluster.count)} sites on one spot`, "The table lists them."]), latlng);
});
layer.on("trouble", ({ error }) => {
  failed = true;
  said.textContent = `Part of the map could not be filled: ${error.message}. Move it to try again.`;
});
layer.on("load", count);
if (frame) layer.once("load", frameAll);
map.on("moveend", () => {
  if (failed) {
    failed = false;
    layer.redraw();
  } else if (!layer.isLoading()) count();
});
layer.addTo(map);
offerMosaics(map, mosaics);

for (const row of document.querySelectorAll("tr[data-site]")) {
  const [lon, lat] = row.dataset.point.split(",").map(Number);
  const show = () => {
    const turns = Math.round((map.getCenter().lng - lon) / 360);
    ring.setLatLng([lat, lon + 360 * turns]).addTo(map);
  };
  for (const event of ["mouseenter", "focusin"]) row.addEventListener(event, show);
  for (const event of ["mouseleave", "focusout"]) row.addEventListener(event, () => ring.remove());
}
