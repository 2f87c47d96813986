// One press, one decision; and every one can be taken back.

import { letterOf } from "./keys.js";

const LOOK_MS = 500; // nobody can have looked sooner at what has come unasked
const SLOW_MS = 5000; // the words stay longer than that: they are there until the storage answers
const SLOW = "Not yet saved: the storage of this browser does not answer. Leave this page open; if it stays so, free some space or load the page anew.";

/** What is said of a site that comes unasked, by the reason for which it does. */
export const UNASKED = {
  lost: "Somebody else has just taken that site; this is the next one.",
  other: "The site you asked for is decided already, or somebody else has it open; this is the next one.",
  changed: "This site has changed meanwhile; this is its newest state.",
  elsewhere: "You have decided on that site in another tab; this is the next one.",
};

/** What an undo of a step needs put back on the map. */
const KINDS = { area: "removeArea", add: "removeAdded" };

export class Deciding {
  #desk;
  #queue;
  #steps;
  #outlines;
  #status;
  #fetchItem;
  #card;
  #waits;
  #isSeen = true;
  #shown = 0;
  #isBusy = false; // something is being written down, or taken back

  /** @param {object} parts desk, queue, steps, outlines, status, card (element), waits, and fetchItem(site) */
  constructor({ desk, queue, steps, outlines, status, card, waits, fetchItem }) {
    this.#desk = desk;
    this.#queue = queue;
    this.#steps = steps;
    this.#outlines = outlines;
    this.#status = status;
    this.#card = card;
    this.#waits = waits;
    this.#fetchItem = fetchItem;
    queue.addEventListener("show", ({ detail: { why } }) => this.waitUntilSeen(why in UNASKED ? LOOK_MS : 0));
  }

  /** A key that bounces, or is already on its way down, must not decide on a site that nobody has seen yet. */
  waitUntilSeen(ms = 0) {
    this.#see(false);
    this.#shown += 1;
    const shown = this.#shown;
    const see = () => shown === this.#shown && this.#see(true);
    requestAnimationFrame(() => requestAnimationFrame(ms ? () => setTimeout(see, ms) : see));
  }

  #see(isSeen) {
    this.#isSeen = isSeen;
    this.#card.setAttribute("aria-busy", String(!isSeen));
  }

  /** Decide on an item: it is written down, and then the next one is painted. */
  async decide(item, verdict, decision) {
    if (!this.#isSeen || this.#isBusy) return;
    this.#see(false); // until the next one is on screen
    const { pressedAt } = this.#waits;
    const isKept = await this.#write(async () => {
      await this.#kept(this.#desk.decide(item, verdict, decision));
      this.#waits.begin(pressedAt);
      this.#queue.next();
    });
    if (!isKept) this.#see(true);
  }

  /** A missed mine; true where it is written down. */
  draw({ geometry, option, axis, scene }) {
    return this.#write(async () => {
      const key = await this.#kept(this.#desk.add({ geometry, types: option ? { [axis]: option.code } : {}, scene, name: option?.name }));
      this.#outlines.add(key, geometry, option?.color, option?.name);
      this.#status.toast(`Missed mine drawn${option ? `: ${option.name}` : ""}. ${letterOf("undo")} takes it back.`);
    });
  }

  complete(window) {
    return this.#write(async () => {
      const key = await this.#kept(this.#desk.complete(window));
      this.#outlines.addArea(key, window.geometry);
      this.#status.toast(`Window complete. ${letterOf("undo")} takes it back.`);
    });
  }

  async undo(step = this.#steps.last) {
    if (this.#isBusy || step?.undone) return;
    if (!step) return this.#status.toast("There is nothing of yours left to undo.", "warn");
    await this.#write(async () => {
      const key = await this.#kept(this.#desk.undo(step));
      this.#status.toast(`Undone: ${step.words}`);
      const drawn = KINDS[step.kind] ?? KINDS[step.verdict];
      if (drawn) this.#outlines[drawn](step.key);
      else await this.#bringBack(step, key);
    });
  }

  /** One thing at a time, so that an undo never takes back what came before it; false where it could not be kept. */
  async #write(work) {
    if (this.#isBusy) return false;
    this.#isBusy = true;
    try {
      await work();
      return true;
    } catch (error) {
      this.#status.toast(`Not saved: this browser refused to store it (${error.message}). Press again; if it stays so, free some space or load the page anew.`, "no");
      return false;
    } finally {
      this.#isBusy = false;
    }
  }

  /** Wait until something is written down, not in silence where that takes long. */
  async #kept(writing) {
    let isTold = false;
    const telling = setInterval(() => {
      isTold = true;
      this.#status.toast(SLOW, "warn");
    }, SLOW_MS);
    try {
      const key = await writing;
      if (isTold) this.#status.toast("The storage answers again: written down.");
      return key;
    } finally {
      clearInterval(telling);
    }
  }

  async #bringBack(step, undoKey) {
    try {
      const item = step.item ?? (await this.#fetchItem(step.site));
      this.#queue.putBack({ ...item, after: undoKey });
    } catch (error) {
      this.#status.toast(`Undone, but site ${step.site} cannot be shown now: ${error.message}. It comes back in the queue.`, "warn");
    }
  }
}
