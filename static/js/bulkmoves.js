// Some outlines that an action would move, one after the other: as they are, and as they would lie.
import { createMap, outline } from "./map.js";
import { offerMosaics } from "./mosaics.js";

const { L } = window;
const COLOR = "#56B4E9";
const { moves, mosaics } = JSON.parse(document.getElementById("moves").textContent);
const map = createMap(document.getElementById("map"));
const buttons = [...document.querySelectorAll("[data-move]")];
const shown = L.featureGroup().addTo(map);

function show(index) {
  const { before, after } = moves[index];
  shown.clearLayers();
  outline(before, { fill: 0, dashArray: "5 5", interactive: false }).addTo(shown);
  outline(after, { color: COLOR, interactive: false }).addTo(shown);
  map.fitBounds(shown.getBounds().pad(0.4), { animate: false });
  for (const button of buttons) button.setAttribute("aria-pressed", String(Number(button.dataset.move) === index));
}

for (const button of buttons) button.addEventListener("click", () => show(Number(button.dataset.move)));
offerMosaics(map, mosaics);
show(0);
