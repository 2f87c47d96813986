// The write-ahead queue: a decision is on disk here before anything else happens, and leaves only on the server's receipt.
//
// An entry: {seq, key, user, kind, path, body, site, after, state, error, current, about}
// - `after`: key of this person's earlier entry on the same site; its receipt gives the base version
// - `state`: waiting | conflict | refused. A conflict or a refusal stays until its person has chosen.
// - `about`: words for the list of what is not yet saved

import { AFTER_PAINT_MS } from "./dom.js";
import { CHANNEL, openStore } from "./store.js";

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30000;
const LONGEST_ASKED_MS = 300000; // a server that is overloaded may ask for more patience
const MOST_FAILURES = 3; // in one round; then it is the server, not the entry
const LOCK = "mad-outbox";

/** Where two tabs are open, only one of them sends. Without locks both would; the key makes that harmless. */
function alone(work) {
  return navigator.locks ? navigator.locks.request(LOCK, work) : work();
}

/** Whether the server answered, and failed at just this: others may go better. */
function isOfOneEntry({ kind, status }) {
  return kind === "server" && status >= 400 && ![429, 502, 503, 504].includes(status);
}

/**
 * Events: `change`; `receipt` {entry, receipt}, `conflict`, `refused` and `drop` {entry}; and, where a tab of the same
 * person has written something down, `elsewhere` {site, undoes}: the site decided on, and the key of what is taken back.
 */
export class Outbox extends EventTarget {
  #store;
  #api;
  #entries = [];
  #timer = null;
  #retryMs = FIRST_RETRY_MS;
  #pumping = null;
  #again = false;
  #writing = 0;
  #isLasting = false;
  #failures = new Map(); // key -> how often the server failed at it
  #channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(CHANNEL) : null;

  /** `ready`, `sending`, `offline` or `failing` (the server is in trouble; both with `retryAt`), or `signed-out`. */
  status = "ready";
  retryAt = 0;
  trouble = "";

  static async open(api) {
    const outbox = new Outbox();
    outbox.#api = api;
    outbox.#store = await openStore(() => outbox.#entries);
    await outbox.#reload();
    outbox.#store.prune();
    addEventListener("online", () => outbox.pump());
    addEventListener("offline", () => outbox.#say("offline", "no connection"));
    outbox.#channel?.addEventListener("message", ({ data }) => outbox.#follow(data));
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
  get conflicts() {
    return this.mine.filter((entry) => entry.state === "conflict");
  }
  /** How many would be lost or late if the page were closed now: on their way to the disk, or to the server. */
  get unsent() {
    return this.waiting.length + this.#writing;
  }

  /** Write an entry down; it outlives the browser when the promise is kept. Sending goes on by itself. */
  async add({ key, kind, path, body, site = null, after = null, about }) {
    this.#writing += 1;
    this.#changed();
    try {
      const entry = await this.#store.add({
        key, kind, path, body, site, after, about,
        user: this.#api.user, state: "waiting", error: "", current: null, frozen: false,
      });
      this.#entries.push(entry);
      this.#channel?.postMessage({ user: entry.user, site, undoes: body.undoes ?? (kind === "revoke" ? after : null) });
    } finally {
      this.#writing -= 1;
      this.#changed();
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
    const failed = new Set();
    let trouble = null;
    let entry;
    while (failed.size < MOST_FAILURES && (entry = await this.#nextSendable(failed))) {
      this.#say("sending");
      try {
        await this.#send(entry);
        this.#retryMs = FIRST_RETRY_MS;
      } catch (error) {
        if (error.kind === "signed-out") return this.#say("signed-out", error.message);
        if (error.kind === "refused" || error.kind === "conflict") {
          await this.#keep(entry, error);
        } else if (isOfOneEntry(error)) {
          trouble = error;
          failed.add(entry.key);
          this.#failures.set(entry.key, (this.#failures.get(entry.key) ?? 0) + 1);
        } else {
          return this.#later(error);
        }
      }
    }
    if (trouble) this.#later(trouble);
    else this.#say("ready");
  }

  /**
   * The entry whose turn it is: the oldest of those at which the server has failed least, and of a site always the
   * first, so that what follows is never sent while that is in doubt.
   */
  async #nextSendable(failed) {
    const places = new Set();
    const firsts = this.mine.filter((entry) => {
      const place = entry.site ?? entry.after ?? entry.key;
      return !places.has(place) && places.add(place);
    });
    const failures = ({ key }) => this.#failures.get(key) ?? 0;
    const due = firsts.filter(({ key, state }) => state === "waiting" && !failed.has(key)).sort((a, b) => failures(a) - failures(b));
    for (const entry of due) if (!entry.after || entry.frozen || (await this.#freeze(entry))) return entry;
    return null;
  }

  /** Fill in the version that the earlier entry made; from then on the body never changes, as its key demands. */
  async #freeze(entry) {
    const receipt = await this.#store.receipt(entry.after);
    if (!receipt) return !this.#entries.some((other) => other.key === entry.after);
    if (entry.kind === "decision") entry.body = { ...entry.body, base_version: receipt.version ?? entry.body.base_version, site: entry.body.site ?? receipt.site };
    entry.frozen = true;
    await this.#store.put(entry);
    return true;
  }

  async #send(entry) {
    const reply = await this.#api.post(entry.path, entry.body);
    const isItsOwn = entry.kind === "revoke" ? entry.path.includes(reply.key) : reply.key === entry.key;
    if (!isItsOwn) throw new Error("the receipt is for another decision");
    const receipt = { version: reply.version ?? null, site: reply.site ?? entry.site, state: reply.state ?? null };
    await this.#store.settle(entry, receipt);
    this.#entries = this.#entries.filter((other) => other.seq !== entry.seq);
    this.#changed(true);
    this.dispatchEvent(new CustomEvent("receipt", { detail: { entry, receipt } }));
  }

  async #keep(entry, error) {
    entry.state = error.kind === "conflict" ? "conflict" : "refused";
    entry.error = error.message;
    entry.current = error.body?.current ?? null;
    await this.#store.put(entry);
    this.#entries = this.#entries.map((other) => (other.seq === entry.seq ? entry : other)); // read anew meanwhile
    this.#changed(true);
    this.dispatchEvent(new CustomEvent(entry.state, { detail: { entry } }));
  }

  #later(error) {
    const asked = Math.min(Math.max(error.retryAfter * 1000, FIRST_RETRY_MS), LONGEST_ASKED_MS);
    const wait = error.retryAfter ? asked : this.#retryMs * (0.8 + Math.random() * 0.4);
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    this.retryAt = Date.now() + wait;
    if (!this.#isLasting) navigator.storage?.persist?.().catch(() => {}); // else a full disk may cost what waits
    this.#isLasting = true;
    this.#timer = setTimeout(() => this.pump(), wait);
    this.#say(error.kind === "server" ? "failing" : "offline", error.message);
  }

  /** Another tab has changed what is stored. */
  async #follow({ user, site, undoes }) {
    await this.#reload();
    if (user === this.#api.user) this.dispatchEvent(new CustomEvent("elsewhere", { detail: { site, undoes } }));
  }

  /** Read what is stored; what another tab has sent or dropped meanwhile is told as if it had been done here. */
  async #reload() {
    const before = this.mine;
    this.#entries = await this.#store.entries();
    this.#changed();
    const left = new Set(this.#entries.map(({ key }) => key));
    for (const entry of before.filter(({ key }) => !left.has(key))) {
      const receipt = await this.#store.receipt(entry.key);
      this.dispatchEvent(new CustomEvent(receipt ? "receipt" : "drop", { detail: { entry, receipt } }));
    }
  }

  #say(status, trouble = "") {
    if (this.status === status && this.trouble === trouble) return;
    this.status = status;
    this.trouble = trouble;
    this.#changed();
  }

  #changed(tellOthers = false) {
    if (tellOthers) this.#channel?.postMessage({});
    this.dispatchEvent(new Event("change"));
  }
}
