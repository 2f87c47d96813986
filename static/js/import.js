// Where the rows of a seed file lie. htmx replaces the page's part after every choice; the map is drawn anew with it.
import { createMap, outline, textLines } from "./map.js";

const COLORS = { new: "#56b4e9", merged: "#e69f00", changed: "#cc79a7", same: "#999999" };
const WORDS = { new: "becomes a new site", merged: "joins a site that is there", changed: "changed", same: "unchanged" };

function draw() {
  const element = document.getElementById("map");
  const data = document.getElementById("places");
  if (!element || !data || element.dataset.drawn) return;
  element.dataset.drawn = "yes";
  const map = createMap(element);
  const layers = (JSON.parse(data.textContent) || []).map((place) => {
    const layer = outline(place.geometry, { color: COLORS[place.mark], weight: 1.5, fill: 0.5 });
    layer.eachLayer((part) => part.setRadius?.(5));
    return layer
      .bindTooltip(textLines([place.name, `row ${place.row}`, WORDS[place.mark]]), { sticky: true })
      .addTo(map);
  });
  const whole = window.L.featureGroup(layers).getBounds();
  if (whole.isValid()) map.fitBounds(whole.pad(0.1), { maxZoom: 12, animate: false });
}

draw();
// Not before htmx has settled: it sets the classes of the new element anew, and Leaflet's would be lost.
document.addEventListener("htmx:afterSettle", draw);
