// What the server has not confirmed yet: told, sent again after a log-in, settled where it met a newer state.

import { chooseVersion, isOpen, logInAgain, showOutbox } from "./dialogs.js";

export class Saving {
  #parts;
  #isLoggingIn = false;
  #wasSignedOut = false;

  /** @param {object} parts api, slug (of the campaign), user ({id, name, leads}), links ({login, sites}), outbox, desk, steps, queue, status */
  constructor(parts) {
    this.#parts = parts;
    const { outbox, steps, status } = parts;
    outbox.addEventListener("change", () => this.#changed());
    outbox.addEventListener("receipt", ({ detail }) => this.#confirmed(detail));
    outbox.addEventListener("drop", ({ detail: { entry } }) => steps.forget(entry.key));
    outbox.addEventListener("conflict", ({ detail: { entry } }) => {
      if (!isOpen()) this.settle(entry);
    });
    outbox.addEventListener("refused", ({ detail: { entry } }) => {
      status.toast(`The server refused “${entry.about}”: ${entry.error}. It is kept under “not yet saved”.`, "no");
    });
    addEventListener("beforeunload", (event) => {
      if (outbox.unsent) event.preventDefault();
    });
    status.saved(outbox);
  }

  show() {
    showOutbox(this.#parts.outbox, { onChoose: (entry) => this.settle(entry), onLogIn: () => this.logIn() });
  }

  async logIn() {
    if (this.#isLoggingIn) return;
    const { api, user, links, outbox, queue, status } = this.#parts;
    this.#isLoggingIn = true;
    await logInAgain({ name: user.name, count: outbox.waiting.length, loginUrl: links.login, api });
    this.#isLoggingIn = false;
    if ((await api.whoIsLoggedIn().catch(() => null)) !== user.id) {
      return status.toast("Still logged out: nothing is sent, everything is kept. Press “not yet saved” to log in.", "warn");
    }
    outbox.pump();
    queue.refresh();
  }

  /** A decision met a newer state of its site: its person chooses, and then of the next, until none is left. */
  async settle(entry) {
    const { desk, outbox, user, links } = this.#parts;
    let choice = null;
    for (let next = entry; next; next = outbox.conflicts[0]) {
      choice = await chooseVersion(next, { leads: user.leads, sites: links.sites, others: outbox.conflicts.length - 1, before: choice });
      if (!choice) return;
      const open = outbox.conflicts.find(({ key }) => key === next.key);
      if (!open) continue; // settled in another tab meanwhile
      if (choice === "mine") await desk.decideAgain(open);
      else await outbox.drop(open);
    }
  }

  /** Learn which steps were made in this campaign before this page was loaded. */
  async recall() {
    const { api, outbox, slug, steps } = this.#parts;
    const here = () => outbox.mine.filter(({ body }) => body.campaign === slug);
    try {
      steps.recall(await api.get(`decisions/?limit=40&campaign=${slug}`), here());
    } catch {
      steps.recall([], here()); // undo reaches as far as this browser knows
    }
  }

  /** Sites that were decided here and are not sent: the server must not hand them out again. */
  get decidedSites() {
    const { mine } = this.#parts.outbox;
    const undoing = new Set(mine.map(({ body }) => body.undoes).filter(Boolean));
    return mine.filter(({ site, key, body }) => site !== null && !body.undoes && !undoing.has(key)).map(({ site }) => site);
  }

  #changed() {
    const { outbox, status } = this.#parts;
    status.saved(outbox);
    const isSignedOut = outbox.status === "signed-out";
    if (isSignedOut && !this.#wasSignedOut) this.logIn();
    this.#wasSignedOut = isSignedOut;
  }

  #confirmed({ entry, receipt }) {
    const { queue, steps } = this.#parts;
    steps.learn(entry.key, receipt);
    for (const waits of [queue.current, ...queue.ahead]) {
      if (waits?.after !== entry.key) continue;
      waits.version = receipt.version ?? waits.version;
      waits.after = null;
      waits.claim = null; // every decision gives it back
      if (waits === queue.current) queue.refresh();
    }
  }
}
