// One press, one decision; and every one can be taken back.

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
  #isUndoing = false;

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
    queue.addEventListener("show", () => this.waitUntilSeen());
  }

  /** A key that bounces must not decide on a site that nobody has seen yet. */
  waitUntilSeen() {
    this.#see(false);
    requestAnimationFrame(() => requestAnimationFrame(() => this.#see(true)));
  }

  #see(isSeen) {
    this.#isSeen = isSeen;
    this.#card.setAttribute("aria-busy", String(!isSeen));
  }

  /** Decide on an item: it is written down, and then the next one is painted. */
  async decide(item, verdict, decision) {
    if (!this.#isSeen || this.#isUndoing) return;
    this.#see(false); // until the next one is on screen
    const { pressedAt } = this.#waits;
    try {
      await this.#desk.decide(item, verdict, decision);
      this.#waits.begin(pressedAt);
      this.#queue.next();
    } catch (error) {
      this.#see(true);
      this.#status.toast(`Not saved: this browser refused to store it (${error.message}). Free some space and press again.`, "no");
    }
  }

  async undo(step = this.#steps.last) {
    if (!step) return this.#status.toast("There is nothing of yours left to undo.", "warn");
    if (this.#isUndoing || step.undone) return;
    this.#isUndoing = true;
    try {
      const key = await this.#desk.undo(step);
      this.#status.toast(`Undone: ${step.words}`);
      const drawn = KINDS[step.kind] ?? KINDS[step.verdict];
      if (drawn) this.#outlines[drawn](step.key);
      else await this.#bringBack(step, key);
    } finally {
      this.#isUndoing = false;
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
