// The curves of a training; they stay where they are and take the figures that each update brings.
import { plot } from "./plot.js";

const COLORS = ["#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#F0E442"];
const FIGURES = ["mAP50", "mAP50-95", "precision", "recall"];

function curves() {
  return JSON.parse(document.getElementById("curves").textContent);
}

function losses({ x, lines }) {
  const kinds = [...new Set(Object.keys(lines).filter((name) => /^(train|val)\//.test(name)).map((name) => name.split("/")[1]))];
  const series = kinds.flatMap((kind, index) =>
    ["train", "val"]
      .filter((side) => lines[`${side}/${kind}`])
      .map((side) => ({
        label: `${side} ${kind.replace("_loss", "")}`,
        values: lines[`${side}/${kind}`],
        color: COLORS[index % COLORS.length],
        dash: side === "val" ? [6, 4] : undefined,
      })),
  );
  return { x, series, xLabel: "epoch", wholeX: true, height: 260 };
}

function figures({ x, lines }) {
  const series = FIGURES.filter((name) => lines[name]).map((name, index) => ({
    label: name,
    values: lines[name],
    color: COLORS[index],
  }));
  return { x, series, xLabel: "epoch", wholeX: true, range: [0, 1], height: 260 };
}

const makers = { losses, figures };
const drawn = {};

function draw() {
  const data = curves();
  for (const [id, make] of Object.entries(makers)) {
    const element = document.getElementById(id);
    if (!data.x.length) {
      element.textContent = "The first epoch has not ended yet.";
    } else if (drawn[id]) {
      drawn[id].update(make(data));
    } else {
      element.textContent = "";
      drawn[id] = plot(element, make(data));
    }
  }
}

document.body.addEventListener("htmx:afterSettle", draw);
draw();
