// The blocks of a test set over their scenes: the ground that is scored, and the truth on it.
import { createMap, fitBounds, outline, showScene, textLines } from "./map.js";

const BLOCK = "#9fb3c8";
const SCORED = "#ffffff";
const testset = JSON.parse(document.getElementById("testset").textContent);
const map = createMap(document.getElementById("map"));

for (const scene of testset.scenes) showScene(map, scene, "true-colour");
for (const block of testset.blocks) {
  const mark = outline(block.geometry, { color: BLOCK, fill: 0.06, weight: 1.5, dashArray: "6 4" });
  mark.bindTooltip(textLines([block.key, block.region]), { sticky: true }).addTo(map);
}
for (const area of testset.windows) outline(area, { color: SCORED, fill: 0, weight: 1, interactive: false }).addTo(map);
for (const label of testset.labels) {
  outline(label.geometry, { color: label.color, fill: 0.25, weight: 2 }).bindTooltip(textLines([label.type])).addTo(map);
}
fitBounds(map, testset.bounds, { margin: 0.05 });
