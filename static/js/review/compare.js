// Two dates of one place, side by side under a line that moves: the earlier one to its left, the later to its right.

import { showScene } from "../map.js";
import { dateOf, madeOf } from "./dates.js";
import { el } from "./dom.js";

const PANE = "compare";
const HANDLE = 44; // px, as in review/map.css: the handle stays whole at both ends of the map

/** Events: `change` after the line came or went, `say` {text} for who listens. */
export class Compare extends EventTarget {
  #map;
  #imagery;
  #box;
  #slider;
  #labels;
  #about;
  #other = null;
  #layer = null;
  #drawn = "";
  #follow = () => this.#clip();

  constructor({ map, imagery, box }) {
    super();
    this.#map = map;
    this.#imagery = imagery;
    this.#box = box;
    map.createPane(PANE).style.zIndex = 210; // above the tiles, below the outlines
    this.#slider = el("input", { type: "range", class: "compare-slider", min: 0, max: 100, step: 1, "aria-label": "Line between the earlier and the later date", on: { input: this.#follow } });
    this.#labels = el("div", { class: "compare-labels" });
    this.#about = el("p", { class: "compare-about over" });
    box.append(el("div", { class: "compare-line" }), this.#slider, this.#labels, this.#about);
    imagery.addEventListener("change", () => this.#redraw());
  }

  get isOn() {
    return this.#other !== null;
  }

  toggle() {
    return this.leave() || this.#enter();
  }

  /** The keyboard goes back to the screen; the line stays. */
  blur() {
    if (this.#box.contains(document.activeElement)) document.activeElement.blur();
  }

  leave() {
    if (!this.isOn) return false;
    this.blur();
    this.#other = null;
    this.#drawn = "";
    this.#layer?.remove();
    this.#layer = null;
    this.#box.hidden = true;
    this.#map.off("move zoom viewreset resize", this.#follow);
    for (const name of [PANE, "tilePane"]) this.#map.getPane(name).style.clipPath = "";
    this.dispatchEvent(new Event("change"));
    return true;
  }

  #enter() {
    const { scene } = this.#imagery;
    const other = this.#others()[0];
    if (!other) {
      this.#say("No second date: this site has one scene or none, so there is nothing to compare.");
      return false;
    }
    this.#other = this.#imagery.item.scenes[this.#imagery.index + 1] ?? other;
    this.#slider.value = 50;
    this.#box.hidden = false;
    this.#map.on("move zoom viewreset resize", this.#follow);
    this.#redraw();
    this.#slider.focus({ preventScroll: true });
    const [left, right] = this.#sides(scene);
    this.#say(`Left ${dateOf(left)}, right ${dateOf(right)}. Arrows move the line, Escape leaves.`);
    this.dispatchEvent(new Event("change"));
    return true;
  }

  #others() {
    const { item, scene } = this.#imagery;
    return (item?.scenes ?? []).filter((one) => one !== scene);
  }

  /** The earlier scene and the later one; one without a date stands to the left. */
  #sides(scene) {
    const pair = [this.#other, scene];
    return (this.#other.acquired_at ?? "") > (scene.acquired_at ?? "") ? pair.reverse() : pair;
  }

  #redraw() {
    if (!this.isOn) return;
    const { scene, combination } = this.#imagery;
    const others = this.#others();
    if (!scene || !others.length) return this.leave();
    if (!others.includes(this.#other)) this.#other = others[0]; // the map now shows what it was compared with
    const shown = this.#other.combinations.find(({ id }) => id === combination.id) ?? this.#other.combinations[0];
    const drawn = `${this.#other.id}/${shown.id}`;
    if (drawn !== this.#drawn) {
      this.#layer?.remove();
      this.#layer = showScene(this.#map, this.#other, shown.id, { pane: PANE });
      this.#drawn = drawn;
    }
    this.#label(scene, others);
    this.#clip();
  }

  #label(scene, others) {
    const sides = this.#sides(scene);
    const label = (side) => (side === scene || others.length === 1 ? el("span", { class: "over", text: dateOf(side) }) : this.#choice(others));
    this.#labels.replaceChildren(...sides.map(label));
    const told = [...new Set(sides.map(madeOf).filter(Boolean))];
    this.#about.hidden = !told.length;
    this.#about.textContent = told.join(" · ");
  }

  #choice(others) {
    const options = others.map((other, index) => {
      const option = el("option", { value: index, text: dateOf(other) });
      option.selected = other === this.#other;
      return option;
    });
    const change = ({ target }) => {
      this.#other = others[Number(target.value)];
      this.#redraw();
      this.#slider.focus({ preventScroll: true });
    };
    return el("select", { class: "over", "aria-label": "Date to compare with", on: { change } }, ...options);
  }

  /** Show of each scene its side of the line. */
  #clip() {
    const { x: width, y: height } = this.#map.getSize();
    const at = HANDLE / 2 + (this.#slider.value / 100) * (width - HANDLE);
    const [left, right] = this.#sides(this.#imagery.scene);
    const otherIsLeft = left === this.#other;
    const part = (from, to) => {
      const start = this.#map.containerPointToLayerPoint([from, 0]);
      const end = this.#map.containerPointToLayerPoint([to, height]);
      return `polygon(${start.x}px ${start.y}px, ${end.x}px ${start.y}px, ${end.x}px ${end.y}px, ${start.x}px ${end.y}px)`;
    };
    const sides = [part(0, at), part(at, width)];
    this.#map.getPane(PANE).style.clipPath = sides[otherIsLeft ? 0 : 1];
    this.#map.getPane("tilePane").style.clipPath = sides[otherIsLeft ? 1 : 0];
    this.#box.style.setProperty("--at", `${at}px`);
    this.#slider.setAttribute("aria-valuetext", `${this.#slider.value} % ${dateOf(left)}, ${100 - this.#slider.value} % ${dateOf(right)}`);
  }

  #say(text) {
    this.dispatchEvent(new CustomEvent("say", { detail: { text } }));
  }
}
