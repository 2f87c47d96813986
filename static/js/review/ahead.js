// What is fetched before it is needed, the most urgent first, and few at a time: on a slow network a decision
// must never wait behind a row of pictures.

const AT_ONCE = 3;
const KEPT = 240;
const TRIES_AGAIN_MS = 3000;

export class Ahead {
  #wanted = []; // {key, fetch} in the order of urgency
  #known = new Map(); // key -> what was fetched, the latest last
  #failed = new Map(); // key -> when
  #running = new Set();

  /** What was fetched under a key, if it is here. */
  get(key) {
    return this.#known.get(key) ?? null;
  }

  /** Say what is wanted from now on; what was wanted before and is not named again is given up. */
  want(tasks) {
    const now = Date.now();
    this.#wanted = tasks.filter(({ key }) => !this.#known.has(key) && now - (this.#failed.get(key) ?? 0) > TRIES_AGAIN_MS);
    this.#pump();
  }

  #pump() {
    while (this.#running.size < AT_ONCE) {
      const next = this.#wanted.find(({ key }) => !this.#running.has(key) && !this.#known.has(key));
      if (!next) return;
      this.#wanted = this.#wanted.filter((task) => task !== next);
      this.#running.add(next.key);
      next
        .fetch()
        .then((value) => this.#keep(next.key, value))
        .catch(() => this.#failed.set(next.key, Date.now())) // asked for again when it is needed
        .finally(() => {
          this.#running.delete(next.key);
          this.#pump();
        });
    }
  }

  #keep(key, value) {
    this.#known.set(key, value);
    if (this.#known.size > KEPT) this.#known.delete(this.#known.keys().next().value);
  }
}

/** A picture, fetched and decoded: shown, it is painted in the same frame. */
export function pictureTask(url, priority = "auto") {
  return {
    key: url,
    async fetch() {
      const image = new Image();
      image.fetchPriority = priority;
      image.src = url;
      await image.decode();
      return image;
    },
  };
}
