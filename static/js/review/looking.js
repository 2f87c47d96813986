// Back and forward through one's own decisions: the site is shown as it was decided on, and nothing changes by looking.

import { capital, el } from "./dom.js";
import { keycap } from "./keys.js";

const VERDICTS = {
  accept: "You accepted it", fix: "You fixed it", reject: "You rejected it", unsure: "You were unsure", skip: "You skipped it",
  add: "You drew it",
};

/** Event: `change`, when another decision is looked at, or none any more. */
export class Looking extends EventTarget {
  step = null;
  item = null;
  #steps;
  #fetchItem;
  #trouble;
  #asked = 0;

  /** @param {object} parts steps, fetchItem(site), and trouble(text) */
  constructor({ steps, fetchItem, trouble }) {
    super();
    this.#steps = steps;
    this.#fetchItem = fetchItem;
    this.#trouble = trouble;
  }

  get isOn() {
    return this.step !== null;
  }

  /** To the decision before the one that is looked at; from the open site, to the newest. */
  back() {
    const all = this.#steps.onSites;
    const step = all[this.#place(all) - 1];
    if (step) return this.at(step);
    this.#trouble(all.length ? "This is the oldest decision that can be shown here." : "You have decided nothing yet.");
  }

  /** To the decision after it; from the newest, to the open site. */
  forward() {
    if (!this.isOn) return;
    const all = this.#steps.onSites;
    const step = all[this.#place(all) + 1];
    if (step) this.at(step);
    else this.leave();
  }

  async at(step) {
    this.#asked += 1;
    const asked = this.#asked;
    try {
      const item = step.item ?? (await this.#fetchItem(step.site));
      if (asked === this.#asked) this.#show(step, item);
    } catch (error) {
      this.#trouble(`Site ${step.site} cannot be shown now: ${error.message}.`);
    }
  }

  /** Back to the open site; false where nothing is looked at. */
  leave() {
    if (!this.isOn) return false;
    this.#show(null, null);
    return true;
  }

  /** The screen shows another site by itself. */
  end() {
    this.#asked += 1;
    this.step = this.item = null;
  }

  #show(step, item) {
    this.end();
    this.step = step;
    this.item = item;
    this.dispatchEvent(new Event("change"));
  }

  #place(all) {
    const place = all.indexOf(this.step);
    return place < 0 ? all.length : place;
  }
}

/** What was decided, in words. */
export function wordsFor(step, nameOf) {
  const types = Object.values(step.types ?? {}).map(nameOf);
  const more = [...(step.reason ? [step.reason.replaceAll("_", " ")] : []), ...types, ...(step.geometry ? ["with another outline"] : [])];
  return `${VERDICTS[step.verdict] ?? capital(step.verdict)}${more.length ? `: ${more.join(", ")}` : ""}`;
}

/** The panel in the place of the buttons that decide. */
export function drawLooked(box, looking, nameOf) {
  box.hidden = !looking.isOn;
  if (!looking.isOn) return box.replaceChildren();
  const button = (act, text) => el("button", { type: "button", class: "btn", data: { act } }, keycap(act), text);
  box.replaceChildren(
    el("p", {}, el("b", { text: wordsFor(looking.step, nameOf) })),
    el("div", { class: "looked-acts" }, button("back", "Earlier"), button("forward", "Later"), button("undo", "Undo it"), button("leave", "Go on")),
  );
}
