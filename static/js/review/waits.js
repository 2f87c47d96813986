// How long its person waits for each next site: from the press that decides until it is painted with its imagery.

const TOLD_AT_ONCE = 20;
const LONGEST_MS = 60000; // as the server allows: what takes longer counts as this
const MOST_KEPT = 200;

export class Waits {
  #api;
  #pressedAt = 0;
  #begun = null;
  #kept = [];

  constructor({ api }) {
    this.#api = api;
    for (const press of ["keydown", "click"]) addEventListener(press, (event) => (this.#pressedAt = event.timeStamp), true);
    addEventListener("pagehide", () => this.#tell({ keepalive: true }));
  }

  /** When the last press was: the one that decides, while a decision is made. */
  get pressedAt() {
    return this.#pressedAt;
  }

  /** The site that was decided at a press makes room for the next. */
  begin(pressedAt) {
    this.#begun = pressedAt;
  }

  /** Nothing comes next: there is nothing to wait for. */
  forget() {
    this.#begun = null;
  }

  /** The next site is drawn with its imagery: it is painted with the next frame. */
  end() {
    const begun = this.#begun;
    this.#begun = null;
    if (begun === null || document.hidden) return;
    requestAnimationFrame(() => setTimeout(() => this.#keep(performance.now() - begun)));
  }

  #keep(ms) {
    this.#kept = [...this.#kept, Math.min(Math.ceil(ms), LONGEST_MS)].slice(-MOST_KEPT);
    if (this.#kept.length % TOLD_AT_ONCE === 0) this.#tell();
  }

  /** What does not arrive is told with the next: it is no work of anybody's. */
  async #tell(options) {
    const told = this.#kept;
    if (!told.length) return;
    this.#kept = [];
    try {
      await this.#api.post("waits/", { ms: told }, options);
    } catch {
      this.#kept = [...told, ...this.#kept].slice(-MOST_KEPT);
    }
  }
}
