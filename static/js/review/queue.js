// What is on screen, what comes next, and the leases on it. The screen never waits: the next item is shown at once
// from what was fetched ahead. The first of that are leased too, while the queue is long; else the lease on what is
// open is asked for behind.

const BEAT_MS = 60000;
const RETRY_MS = 4000;
const LOOK_AGAIN_MS = 60000; // after the end of a queue: what others skip or bring comes back
const REST_MS = 150;
const AFTER_LEAVING_MS = 500; // then the server has what another tab gave back as it closed
const HOLD = 10; // leased at once: the open item and those right after it, while twice as many are found
const AHEAD = 2 * HOLD;
const LEFT = 4; // more are asked for when fewer of them are left after the open one

const isLeased = (item) => Boolean(item?.claim) && Date.parse(item.claim.expires_at) > Date.now();

/**
 * Events: `show` {item, why}, `ahead`, `progress`, `state`.
 * `state`: loading | reviewing | finished | leased | offline | signed-out | trouble | unstored (nothing may begin yet)
 */
export class Queue extends EventTarget {
  current = null;
  ahead = [];
  progress = null;
  state = "loading";
  leased = null;
  trouble = "";

  #api;
  #slug;
  #gone = new Set(); // decided or skipped here, perhaps not yet known to the server
  #asking = false;
  #askAgain = false;
  #active = Date.now();
  #timer = null;
  #aheadCount;
  #first;
  #tabs = null; // of the same campaign in this browser

  /** `first`: a site to begin with, if it can be had. */
  constructor({ api, slug, ahead = AHEAD, first = null }) {
    super();
    this.#api = api;
    this.#slug = slug;
    this.#aheadCount = ahead;
    this.#first = first;
    if ("BroadcastChannel" in globalThis) this.#tabs = new BroadcastChannel(`mad-queue ${slug}`);
    this.#tabs?.addEventListener("message", () => this.#leaseAnew());
    setInterval(() => this.#beat(), BEAT_MS);
  }

  /** Sites that the server must not hand out again: the outbox knows which it has not sent yet. */
  start(gone) {
    for (const site of gone) this.#gone.add(site);
    return this.#ask();
  }

  /** The open item is dealt with: show the next one now. */
  next() {
    if (this.current) this.pass(this.current.site, "next");
  }

  /** A site is dealt with, here or in another tab. `why` is told where it is the open one. */
  pass(site, why = "next") {
    this.#gone.add(site);
    this.ahead = this.ahead.filter((item) => item.site !== site);
    if (this.current?.site !== site) return this.dispatchEvent(new Event("ahead"));
    this.#show(this.ahead.shift() ?? null, why);
    this.#askSoon();
  }

  /** A site may be handed out again: what was decided on it has been taken back in another tab. */
  allow(site) {
    this.#gone.delete(site);
  }

  /** Put an item back on screen; what was there comes right after it. */
  putBack(item) {
    this.#gone.delete(item.site);
    const before = this.current;
    this.ahead = this.ahead.filter((other) => other.site !== item.site);
    if (before && before.site !== item.site) {
      this.#release(before);
      this.ahead.unshift({ ...before, claim: null });
    }
    this.#show(item, "back");
    this.#ask();
  }

  /** Go on with another of the items that were fetched ahead. */
  jump(site) {
    const item = this.ahead.find((other) => other.site === site);
    if (item) this.putBack(item);
  }

  /** Ask the server again now. */
  refresh() {
    return this.#ask();
  }

  touch() {
    this.#active = Date.now();
  }

  /** The page goes away: let the site go at once instead of after its lease. */
  leave() {
    for (const item of [this.current, ...this.ahead]) if (item) this.#release(item, true);
    this.#tabs?.postMessage("left");
  }

  /** Another tab is closed, and has given back what its person holds in this one too. */
  #leaseAnew() {
    for (const item of [this.current, ...this.ahead]) if (item) item.claim = null;
    this.#later(AFTER_LEAVING_MS);
  }

  #show(item, why) {
    this.current = item;
    if (item) this.#enter("reviewing");
    this.dispatchEvent(new CustomEvent("show", { detail: { item, why } }));
    this.dispatchEvent(new Event("ahead"));
  }

  #enter(state) {
    if (this.state === state && state !== "leased") return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  /** What is decided at once needs no lease: ask when little is left ahead, or when its person rests on an item. */
  #askSoon() {
    const leased = this.ahead.filter(isLeased).length;
    if (leased ? leased < LEFT : this.ahead.length < this.#aheadCount / 2) this.#ask();
    else if (!isLeased(this.current)) this.#later(REST_MS);
  }

  async #ask() {
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#asking = true;
    clearTimeout(this.#timer);
    let moved = false;
    try {
      do {
        this.#askAgain = false;
        const wanted = this.current;
        const asksForIt = !isLeased(wanted) && !wanted?.after; // its undo is still on the way: nothing to lease yet
        const here = [wanted, ...this.ahead].filter((item) => item && !item.after);
        const answer = await this.#api.post(`campaigns/${this.#slug}/claims/`, {
          want: wanted ? [wanted.site] : [this.#first, ...this.ahead.map((item) => item.site)].filter(Boolean),
          count: asksForIt ? 1 : 0,
          ahead: this.#aheadCount,
          hold: HOLD,
          exclude: [...this.#gone].slice(-200),
          have: Object.fromEntries(here.map((item) => [item.site, item.version])),
        });
        moved = this.#take(wanted, answer, asksForIt);
      } while (this.#askAgain);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#asking = false;
    }
    if (moved) this.#askSoon();
  }

  /** Take an answer up; true where its person was faster than the server, and the lease is for an item no longer open. */
  #take(wanted, answer, asksForIt) {
    this.progress = answer.progress;
    this.leased = answer.waiting;
    this.dispatchEvent(new Event("progress"));
    const claimed = answer.items.find((item) => !this.#gone.has(item.site)) ?? null;
    for (const item of answer.items) if (item !== claimed) this.#release(item);
    const moved = this.current !== wanted;
    if (moved && claimed && claimed.site !== this.current?.site) this.#release(claimed);
    if (!moved && asksForIt) this.#settle(wanted, claimed);
    this.#first = null;
    this.#refill(answer);
    const held = new Map(answer.held.map((claim) => [claim.site, claim]));
    for (const item of [this.current, ...this.ahead]) if (item) item.claim = held.get(item.site) ?? null;
    return moved;
  }

  #settle(wanted, claimed) {
    if (!wanted && !claimed) {
      this.#enter(this.leased?.leased ? "leased" : "finished");
      this.#later(this.leased ? Math.max(2, Math.min(this.leased.free_in_s ?? 30, 30)) * 1000 : LOOK_AGAIN_MS);
      return;
    }
    if (!claimed) return this.#lost(null);
    if (!wanted) return this.#show(claimed, this.#first && claimed.site !== this.#first ? "other" : "first");
    if (claimed.site !== wanted.site) return this.#lost(claimed);
    if (claimed.version !== wanted.version) this.#show(claimed, "changed");
  }

  #lost(other) {
    this.#show(other, "lost");
    if (!other) this.#askAgain = true;
  }

  /** `next`: the sites that follow, in order; `ahead`: those of them that are not here yet, or have changed. */
  #refill({ next, ahead }) {
    const open = this.current?.site;
    const here = new Map([...this.ahead, ...ahead].map((item) => [item.site, item]));
    const usable = next.map((site) => here.get(site)).filter((item) => item && item.site !== open && !this.#gone.has(item.site));
    const bySite = new Map(usable.map((item) => [item.site, item]));
    const kept = this.ahead.filter((item) => item.after || bySite.has(item.site));
    const known = new Set(kept.map((item) => item.site));
    this.ahead = [
      ...kept.map((item) => (item.after ? item : bySite.get(item.site))),
      ...usable.filter((item) => !known.has(item.site)),
    ].filter((item) => item.site !== open);
    this.dispatchEvent(new Event("ahead"));
  }

  #fail(error) {
    this.trouble = error.message;
    this.dispatchEvent(new CustomEvent("failure", { detail: { error } }));
    if (!this.current) this.#enter(error.kind === "network" ? "offline" : error.kind === "signed-out" ? "signed-out" : "trouble");
    if (error.retryable) this.#later(RETRY_MS);
  }

  #later(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), ms);
  }

  #release(item, keepalive = false) {
    const token = item.claim?.token;
    if (!token) return;
    item.claim = null;
    this.#api.del(`claims/${token}/`, { keepalive }).catch(() => {}); // else it ends by itself
  }

  /** Renew the lease while somebody is at work; a screen left alone lets its site go. */
  async #beat() {
    const item = this.current;
    if (!item?.claim || document.hidden || Date.now() - this.#active > 10 * BEAT_MS) return;
    try {
      await this.#api.post(`claims/${item.claim.token}/heartbeat/`, {});
    } catch (error) {
      if (error.status === 410 && this.current === item) {
        item.claim = null;
        this.#ask();
      }
    }
  }
}
