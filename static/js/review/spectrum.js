// What the imagery says of a site: reflectance per band inside it against the ring around it, as a small plot.

import { el, figure } from "./dom.js";

const NS = "http://www.w3.org/2000/svg";
const SIZE = { width: 328, height: 118 };
const PLOT = { left: 28, right: 284, top: 8, bottom: 98 };
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2];
const MAX_LINES = 4;
const MAX_LABELS = 14;
const LABEL_GAP = 12;
const LOOK_MS = 120; // who decides sooner has not looked at the plot: the server is not asked for it
const KEPT = 300;
const RETRY_MS = 5000;

const keyOf = (item, scene) => [item.site, item.version, scene.id, scene.version].join("/");

/** The plots of the open item and of those that come next. */
export class Spectra {
  #fetch;
  #box;
  #known = new Map(); // key -> answer
  #shown = null;
  #timer = null;

  /** @param {{fetch: (path: string) => Promise<object>, box: HTMLElement}} options `path` is below the API */
  constructor({ fetch, box }) {
    this.#fetch = fetch;
    this.#box = box;
  }

  /** Draw the plot of an item in a scene, now where it is known and when it comes where it is not. */
  show(item, scene) {
    const key = item && scene ? keyOf(item, scene) : null;
    if (key === this.#shown) return;
    this.#shown = key;
    clearTimeout(this.#timer);
    this.#box.hidden = !key;
    if (!key) return this.#box.replaceChildren();
    const known = this.#known.get(key);
    if (known) return this.#box.replaceChildren(...drawing(known));
    this.#say("Reading the bands.");
    this.#timer = setTimeout(() => this.#showWhenThere(key, item, scene), LOOK_MS);
  }

  async #showWhenThere(key, item, scene) {
    try {
      const answer = await this.#ask(key, item, scene);
      if (this.#shown === key) this.#box.replaceChildren(...drawing(answer));
    } catch (error) {
      if (this.#shown !== key) return;
      this.#say(`The spectrum cannot be read: ${error.message}.`);
      if (error.kind !== "refused") this.#timer = setTimeout(() => this.#showWhenThere(key, item, scene), RETRY_MS);
    }
  }

  #say(text) {
    this.#box.replaceChildren(el("h3", { text: "Spectrum" }), el("p", { class: "dim small spectrum-wait", text }));
  }

  /** The plot of an item that comes next, to be fetched when nothing else is to do. */
  tasks(item) {
    const scene = item.scenes[0];
    if (!scene) return [];
    const key = keyOf(item, scene);
    return this.#known.has(key) ? [] : [{ key, fetch: () => this.#ask(key, item, scene) }];
  }

  async #ask(key, item, scene) {
    const known = this.#known.get(key);
    if (known) return known;
    const answer = await this.#fetch(`sites/${item.site}/spectrum/?scene=${scene.address}`);
    this.#known.set(key, answer);
    if (this.#known.size > KEPT) this.#known.delete(this.#known.keys().next().value);
    return answer;
  }
}

function svg(tag, props = {}, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "text") element.textContent = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const share = (level) => (level ? level.median.toFixed(3) : "no data");
const nameOf = ({ band, wavelength_nm: nm }) => (nm ? `${band} ${figure(nm)} nm` : band);

/** The bands whose medians are furthest apart, the most telling first. */
function mostApart(bands) {
  return bands
    .filter(({ contrast }) => contrast !== null)
    .sort((a, b) => Math.abs(b.contrast) - Math.abs(a.contrast))
    .slice(0, 2)
    .map(({ band }) => band);
}

function drawing(answer) {
  const { bands } = answer;
  const heading = el("h3", { text: "Spectrum" });
  if (!answer.inside_px) return [heading, el("p", { class: "dim small", text: "This scene has no data inside the site." })];
  const apart = mostApart(bands);
  if (apart.length) heading.append(` · most apart: ${apart.join(", ")}`);
  const [from, to] = answer.ring_m;
  const ring = answer.ring_px
    ? `ring ${figure(from)} to ${figure(to)} m around, without other sites`
    : "no ring: other sites or no data all around";
  return [heading, plot(answer), el("p", { class: "dim small", text: `Medians; ${ring}` }), table(answer)];
}

/** The values, for who does not see the plot. */
function table({ bands, inside_px: inside, ring_px: ring }) {
  const head = (text) => el("th", { scope: "col", text });
  return el(
    "div",
    { class: "visually-hidden" },
    el(
      "table",
      {},
      el("caption", { text: `Median reflectance per band, ${figure(inside)} pixels inside, ${figure(ring)} in the ring` }),
      el("thead", {}, el("tr", {}, head("Band"), head("Inside"), head("Ring"))),
      el("tbody", {}, ...bands.map((pair) => el("tr", {}, el("th", { scope: "row", text: nameOf(pair) }), el("td", { text: share(pair.inside) }), el("td", { text: share(pair.ring) })))),
    ),
  );
}

function plot({ bands }) {
  const lines = { inside: bands.map(({ inside }) => inside?.median ?? null), ring: bands.map(({ ring }) => ring?.median ?? null) };
  const values = [...lines.inside, ...lines.ring].filter((value) => value !== null);
  const [low, high, step] = scaleOf(values);
  const x = (index) => PLOT.left + ((index + 0.5) * (PLOT.right - PLOT.left)) / bands.length;
  const y = (value) => PLOT.bottom - ((value - low) / (high - low)) * (PLOT.bottom - PLOT.top);
  const picture = svg("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, class: "spectrum", role: "img", "aria-label": told(bands) });
  picture.append(...grid(low, high, step, y), ...bandNames(bands, x));
  for (const name of ["ring", "inside"]) picture.append(...line(name, lines[name], x, y));
  picture.append(...lineNames(lines, y), ...bands.map((pair, index) => readout(pair, index, bands.length)));
  return picture;
}

function told(bands) {
  const apart = mostApart(bands);
  const words = apart.length ? `, most apart in ${apart.join(" and ")}` : "";
  return `Reflectance in ${bands.length} bands inside the site and in the ring around it${words}. The values follow as a table.`;
}

/** Lowest and highest value of the axis and the step between its lines: round numbers, 0 always among them. */
function scaleOf(values) {
  const [least, most] = [Math.min(0, ...values), Math.max(0.01, ...values)];
  const step = STEPS.find((one) => (most - least) / one <= MAX_LINES) ?? (most - least) / MAX_LINES;
  return [Math.floor(least / step) * step, Math.ceil(most / step - 1e-9) * step, step];
}

function grid(low, high, step, y) {
  const lines = [];
  const places = step < 0.1 ? 2 : 1;
  for (let value = low; value <= high + step / 2; value += step) {
    const at = y(value).toFixed(1);
    lines.push(
      svg("line", { x1: PLOT.left, x2: PLOT.right, y1: at, y2: at, class: "grid" }),
      svg("text", { x: PLOT.left - 5, y: at, dy: "0.35em", class: "tick end", text: value.toFixed(places) }),
    );
  }
  return lines;
}

function bandNames(bands, x) {
  const every = Math.ceil(bands.length / MAX_LABELS);
  return bands
    .map(({ band }, index) => svg("text", { x: x(index).toFixed(1), y: PLOT.bottom + 14, class: "tick middle", text: band.slice(0, 5) }))
    .filter((_label, index) => index % every === 0);
}

function line(name, values, x, y) {
  const points = values.map((value, index) => (value === null ? null : `${x(index).toFixed(1)},${y(value).toFixed(1)}`)).filter(Boolean);
  const dots = points.map((point) => {
    const [cx, cy] = point.split(",");
    return svg("circle", { cx, cy, r: 2, class: name });
  });
  return [svg("polyline", { points: points.join(" "), class: name }), ...dots];
}

/** The names stand where the lines end, apart from each other. */
function lineNames(lines, y) {
  const last = (values) => values.findLast((value) => value !== null);
  const ends = Object.entries(lines)
    .filter(([, values]) => last(values) !== undefined)
    .map(([name, values]) => ({ name, at: y(last(values)) }))
    .sort((a, b) => a.at - b.at);
  if (ends.length === 2 && ends[1].at - ends[0].at < LABEL_GAP) {
    const middle = Math.min((ends[0].at + ends[1].at) / 2, PLOT.bottom - LABEL_GAP / 2);
    [ends[0].at, ends[1].at] = [middle - LABEL_GAP / 2, middle + LABEL_GAP / 2];
  }
  return ends.map(({ name, at }) => svg("text", { x: PLOT.right + 4, y: at.toFixed(1), dy: "0.35em", class: `name ${name}`, text: name }));
}

/** The values of a band for who points at it. */
function readout(pair, index, count) {
  const width = (PLOT.right - PLOT.left) / count;
  const words = `${nameOf(pair)}: inside ${share(pair.inside)}, ring ${share(pair.ring)}`;
  const area = { x: (PLOT.left + index * width).toFixed(1), y: 0, width: width.toFixed(1), height: SIZE.height, class: "readout" };
  return svg("rect", area, svg("title", { text: words }));
}
