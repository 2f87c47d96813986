// The write-ahead queue: a decision is on disk here before anything else happens, and leaves only on the server's receipt.
//
// An entry: {seq, key, user, kind, path, body, site, after, state, error, current, about}
// - `after`: key of this person's earlier entry on the same site; its receipt gives the base version
// - `state`: waiting | conflict | refused. A conflict or a refusal stays until its person has chosen.
// - `about`: words for the list of what is not yet saved

import { AFTER_PAINT_MS } from "./dom.js";
import { openStore } from "./store.js";

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30000;
const LOCK = "mad-outbox";

/** Where two tabs are open, only one of them sends. Without locks both would; the key makes that harmless. */
function alone(work) {
  return navigator.locks ? navigator.locks.request(LOCK, work) : work();
}

export class Outbox extends EventTarget {
  #store;
  #api;
  #entries = [];
  #timer = null;
  #retryMs = FIRST_RETRY_MS;
  #pumping = null;
  #again = false;
  #writing = 0;
  #channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(LOCK) : null;

  /** `ready`, `sending`, `offline` or `failing` (the server is in trouble; both with `retryAt`), or `signed-out`. */
  status = "ready";
  retryAt = 0;
  trouble = "";

  static async open(api) {
    const outbox = new Outbox();
    outbox.#api = api;
    outbox.#store = await openStore();
    await outbox.#reload();
    outbox.#store.prune();
    addEventListener("online", () => outbox.pump());
    addEventListener("offline", () => outbox.#say("offline", "no connection"));
    outbox.#channel?.addEventListener("message", () => outbox.#reload());
    return outbox;
  }

  /** What this person has not yet seen confirmed, oldest first. */
  get mine() {
    return this.#entries.filter((entry) => entry.user === this.#api.user);
  }
  /** How many entries other people left in this browser. */
  get othersCount() {
    return this.#entries.length - this.mine.length;
  }
  get waiting() {
    return this.mine.filter((entry) => entry.state === "waiting");
  }
  get troubled() {
    return this.mine.filter((entry) => entry.state !== "waiting");
  }
  /** How many would be lost or late if the page were closed now: on their way to the disk, or to the server. */
  get unsent() {
    return this.waiting.length + this.#writing;
  }

  /** Write an entry down; it outlives the browser when the promise is kept. Sending goes on by itself. */
  async add({ key, kind, path, body, site = null, after = null, about }) {
    this.#writing += 1;
    this.#changed(false);
    try {
      const entry = await this.#store.add({
        key, kind, path, body, site, after, about,
        user: this.#api.user, state: "waiting", error: "", current: null, frozen: false,
      });
      this.#entries.push(entry);
    } finally {
      this.#writing -= 1;
      this.#changed(true);
    }
    setTimeout(() => this.#store.flush().then(() => this.pump(), (error) => this.#later(error)), AFTER_PAINT_MS);
  }

  /** Take an entry out because its person said so. */
  async drop(entry) {
    await this.#store.remove(entry.seq);
    this.#entries = this.#entries.filter((other) => other.seq !== entry.seq);
    this.#changed(true);
    this.dispatchEvent(new CustomEvent("drop", { detail: { entry } }));
  }

  /** Try a refused entry again as it is. */
  async retry(entry) {
    entry.state = "waiting";
    entry.error = "";
    await this.#store.put(entry);
    this.#changed(true);
    this.pump();
  }

  /** Send what waits, in order, until nothing waits or something stands in the way. */
  pump() {
    clearTimeout(this.#timer);
    if (this.#pumping) {
      this.#again = true;
      return this.#pumping;
    }
    this.#pumping = alone(() => this.#sendAll())
      .catch((error) => this.#later(error))
      .finally(() => {
        this.#pumping = null;
        if (this.#again) {
          this.#again = false;
          this.pump();
        }
      });
    return this.#pumping;
  }

  async #sendAll() {
    await this.#reload(); // another tab may have sent some
    let entry;
    while ((entry = await this.#nextSendable())) {
      this.#say("sending");
      try {
        await this.#send(entry);
        this.#retryMs = FIRST_RETRY_MS;
      } catch (error) {
        if (error.kind === "signed-out") return this.#say("signed-out", error.message);
        if (!error.kind || error.retryable) return this.#later(error);
        await this.#keep(entry, error);
      }
    }
    this.#say("ready");
  }

  /** The oldest entry whose turn it is: nothing of the same site before it may be in doubt. */
  async #nextSendable() {
    const blocked = new Set();
    for (const entry of this.mine) {
      const place = entry.site ?? entry.key;
      if (entry.state !== "waiting" || blocked.has(place)) {
        blocked.add(place);
        continue;
      }
      if (!entry.after || entry.frozen || (await this.#freeze(entry))) return entry;
      blocked.add(place);
    }
    return null;
  }

  /** Fill in the version that the earlier entry made; from then on the body never changes, as its key demands. */
  async #freeze(entry) {
    const receipt = await this.#store.receipt(entry.after);
    if (!receipt) return this.#entries.some((other) => other.key === entry.after) ? false : true;
    entry.body = { ...entry.body, base_version: receipt.version ?? entry.body.base_version };
    if ("site" in entry.body && entry.body.site === null && entry.body.verdict !== "add") entry.body.site = receipt.site;
    entry.frozen = true;
    await this.#store.put(entry);
    return true;
  }

  async #send(entry) {
    const reply = await this.#api.post(entry.path, entry.body);
    if (entry.kind !== "revoke" && reply?.key !== entry.key) throw new Error("the receipt is for another decision");
    const receipt = { version: reply?.version ?? null, site: reply?.site ?? entry.site, state: reply?.state ?? null };
    await this.#store.settle(entry, receipt);
    this.#entries = this.#entries.filter((other) => other.seq !== entry.seq);
    this.#changed(true);
    this.dispatchEvent(new CustomEvent("receipt", { detail: { entry, receipt, reply } }));
  }

  async #keep(entry, error) {
    entry.state = error.kind === "conflict" ? "conflict" : "refused";
    entry.error = error.message;
    entry.current = error.body?.current ?? null;
    await this.#store.put(entry);
    this.#changed(true);
    this.dispatchEvent(new CustomEvent(entry.state, { detail: { entry } }));
  }

  #later(error) {
    const wait = error.retryAfter ? error.retryAfter * 1000 : this.#retryMs * (0.8 + Math.random() * 0.4);
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    this.retryAt = Date.now() + wait;
    this.#timer = setTimeout(() => this.pump(), wait);
    this.#say(error.kind === "server" ? "failing" : "offline", error.message);
  }

  async #reload() {
    this.#entries = await this.#store.entries();
    this.#changed(false);
  }

  #say(status, trouble = "") {
    if (this.status === status && this.trouble === trouble) return;
    this.status = status;
    this.trouble = trouble;
    this.#changed(false);
  }

  #changed(tellOthers) {
    if (tellOthers) this.#channel?.postMessage("changed");
    this.dispatchEvent(new Event("change"));
  }
}
