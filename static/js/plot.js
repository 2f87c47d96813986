// Line plots by uPlot, readable in both themes, redrawn when the theme or the size changes.
// Page: load vendor/uplot/uPlot.min.css and vendor/uplot/uPlot.iife.min.js, then call plot().
/* global uPlot */

import { figure } from "./review/dom.js";

/** The colour that a token such as "--ink" stands for now, as the canvas needs it. */
export function tokenColor(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  probe.hidden = true;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}

const dayAt = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);

const WHOLE = [1, 2, 5].flatMap((step) => [step, step * 10, step * 100, step * 1000]).sort((a, b) => a - b);

const LETTER_PX = 7; // of the font below

/** 20000 -> "20 000", all with as many places as one of them needs. */
function marks(_plot, splits) {
  const places = Math.max(...splits.map((value) => `${Number(value.toPrecision(6))}`.split(".")[1]?.length ?? 0));
  return splits.map((value) => figure(value, places));
}

function roomFor(_plot, shown) {
  return 20 + LETTER_PX * Math.max(3, ...(shown ?? []).map((text) => text.length));
}

function axis(label, whole) {
  return {
    label,
    incrs: whole ? WHOLE : undefined,
    labelSize: label ? 18 : 0,
    labelFont: `12px ${getComputedStyle(document.body).fontFamily}`,
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
    stroke: tokenColor("--dim"),
    grid: { stroke: tokenColor("--line"), width: 1 },
    ticks: { stroke: tokenColor("--line"), width: 1 },
  };
}

function optionsFor(spec, width, height) {
  return {
    width,
    height,
    scales: { x: { time: spec.time ?? false }, y: spec.range ? { range: spec.range } : {} },
    ...(spec.time && { tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") }),
    axes: [{ ...axis(spec.xLabel, spec.wholeX), ...(spec.time && { values: "{MM}-{DD}" }) }, { ...axis(spec.yLabel), values: marks, size: roomFor }],
    cursor: { points: { size: 7 } },
    legend: { live: true },
    series: [
      { label: spec.xLabel || (spec.time ? "day" : "x"), value: (_plot, value) => (value == null ? "–" : spec.time ? dayAt(value) : value) },
      ...spec.series.map((line) => ({
        label: line.label,
        stroke: line.color.startsWith("--") ? tokenColor(line.color) : line.color,
        dash: line.dash,
        width: 2,
        points: { show: line.values.length < 40, size: 5 },
        spanGaps: true,
        value: (_plot, value) => figure(value, line.places ?? 3),
      })),
    ],
  };
}

/**
 * Draw lines into an element and keep them right.
 * @param {HTMLElement} element with class "plot"
 * @param {{x: number[], series: {label: string, values: (number|null)[], color: string, dash?: number[], places?: number}[],
 *   xLabel?: string, wholeX?: boolean, yLabel?: string, range?: [number, number], time?: boolean, height?: number}} spec
 *   color is #rrggbb or the name of a token
 * @returns {{update: (spec: object) => void}}
 */
export function plot(element, spec) {
  let current = spec;
  let drawn = null;
  const draw = () => {
    drawn?.destroy();
    const data = [current.x, ...current.series.map((line) => line.values)];
    drawn = new uPlot(optionsFor(current, element.clientWidth || 480, current.height ?? 220), data, element);
  };
  draw();
  document.addEventListener("mad:theme", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(() => {
    if (drawn && element.clientWidth && element.clientWidth !== drawn.width) {
      drawn.setSize({ width: element.clientWidth, height: current.height ?? 220 });
    }
  }).observe(element);
  return {
    update(next) {
      current = next;
      if (next.series.length !== drawn.series.length - 1) draw();
      else drawn.setData([next.x, ...next.series.map((line) => line.values)]);
    },
  };
}
