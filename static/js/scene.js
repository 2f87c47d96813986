// One scene on the map, in the band combination that is chosen; B takes the next one.
import { createMap, fitBounds, outline, showScene } from "./map.js";

const scene = JSON.parse(document.getElementById("scene").textContent);
const choices = [...document.querySelectorAll('input[name="combination"]')];
const map = createMap(document.getElementById("map"));
fitBounds(map, scene.focus, { margin: 0.02 });
outline(scene.footprint, { fill: 0, weight: 1, dashArray: "4 6", opacity: 0.6, interactive: false }).addTo(map);

let layer = null;
function show(combination) {
  const before = layer;
  layer = showScene(map, scene, combination);
  if (before) layer.once("load", () => before.remove());
}

for (const choice of choices) choice.addEventListener("change", () => show(choice.value));
document.addEventListener("keydown", (event) => {
  if (event.code !== "KeyB" || event.ctrlKey || event.metaKey || event.altKey) return;
  const next = choices[(choices.findIndex((choice) => choice.checked) + 1) % choices.length];
  next.checked = true;
  next.focus();
  show(next.value);
});
show(choices.find((choice) => choice.checked).value);
