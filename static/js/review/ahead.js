// What is fetched before it is needed, the most urgent first, and few at a time: on a slow network a decision
// must never wait behind a row of pictures.

import { AFTER_PAINT_MS } from "./dom.js";

const AT_ONCE = 3;
const KEPT = 240;
const FIRST_RETRY_MS = 3000;
const LONGEST_RETRY_MS = 15000;
const REST_MS = 120; // who decides sooner does not look at the small pictures: the server draws for the map alone

export class Ahead {
  #wanted = []; // {key, fetch} in the order of urgency
  #atRest = []; // those that only help to look
  #restAt = 0;
  #quietUntil = 0;
  #timer = null;
  #waiting = new Map(); // key -> what to do when it is here
  #known = new Map(); // key -> what was fetched, the latest last
  #failed = new Map(); // key -> {again, waited}: from when on it is tried again, and how long that was
  #running = new Set();

  /** What was fetched under a key, if it is here. */
  get(key) {
    return this.#known.get(key) ?? null;
  }

  /** Do something with what is fetched under a key, now or when it is here. */
  whenHere(key, use) {
    const value = this.get(key);
    if (value) use(value);
    else this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), use]);
  }

  /** Say what is wanted from now on, and what only in a rest; what was wanted before and is not named again is given up. */
  want(tasks, atRest) {
    const isWanted = ({ key }) => !this.#known.has(key);
    this.#wanted = tasks.filter(isWanted);
    this.#atRest = atRest.filter(isWanted);
    this.#pump();
  }

  /** Another item is shown: the rest begins anew, and nothing is fetched while it is painted. */
  stir() {
    const now = Date.now();
    const isHurry = now < this.#restAt; // who decides this fast would otherwise keep everything from being fetched
    if (!isHurry) this.#quietUntil = now + AFTER_PAINT_MS;
    this.#restAt = now + REST_MS;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#pump(), REST_MS);
    if (!isHurry) setTimeout(() => this.#pump(), AFTER_PAINT_MS);
  }

  #next() {
    const now = Date.now();
    const isOpen = ({ key }) => !this.#running.has(key) && !this.#known.has(key) && now >= (this.#failed.get(key)?.again ?? 0);
    return this.#wanted.find(isOpen) ?? (now >= this.#restAt ? this.#atRest.find(isOpen) : undefined);
  }

  #pump() {
    if (Date.now() < this.#quietUntil) return;
    let next;
    while (this.#running.size < AT_ONCE && (next = this.#next())) {
      const { key } = next;
      this.#running.add(key);
      next
        .fetch()
        .then((value) => this.#keep(key, value))
        .catch(() => this.#fail(key))
        .finally(() => {
          this.#running.delete(key);
          this.#pump();
        });
    }
  }

  /** Tried again later, as long as it is wanted: the network may be back then, or its person logged in. */
  #fail(key) {
    const waited = Math.min(2 * (this.#failed.get(key)?.waited ?? FIRST_RETRY_MS / 2), LONGEST_RETRY_MS);
    this.#failed.set(key, { again: Date.now() + waited, waited });
    setTimeout(() => this.#pump(), waited);
  }

  #keep(key, value) {
    this.#known.set(key, value);
    this.#failed.delete(key);
    for (const use of this.#waiting.get(key) ?? []) use(value);
    this.#waiting.delete(key);
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
