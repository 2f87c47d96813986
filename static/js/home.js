// The front page: Enter goes on with the work; two plots.

import { plot } from "./plot.js";

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("a, button, summary, input, select, textarea")) return;
  document.querySelector("[data-enter]")?.click();
});

const { days, quality } = JSON.parse(document.getElementById("plots").textContent);

const daysBox = document.getElementById("days");
if (daysBox) {
  plot(daysBox, {
    time: true,
    height: 200,
    x: days.map(({ day }) => Date.parse(`${day}T00:00:00Z`) / 1000),
    series: [
      { label: "everybody", values: days.map(({ everybody }) => everybody), color: "--accent", places: 0 },
      { label: "you", values: days.map(({ mine }) => mine), color: "--ok", places: 0 },
    ],
  });
}

const qualityBox = document.getElementById("quality");
if (qualityBox) {
  plot(qualityBox, {
    height: 180,
    range: [0, 1],
    xLabel: "models, oldest first",
    x: quality.map((_one, index) => index + 1),
    series: [
      { label: "AP50", values: quality.map(({ ap50 }) => ap50), color: "--accent" },
      { label: "AP50-95", values: quality.map(({ ap50_95 }) => ap50_95), color: "--ok", dash: [5, 4] },
    ],
  });
}
