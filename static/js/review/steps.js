// One's own steps, for undo: those of this visit, and, after a reload, those that the server or the outbox knows.

const KEEP = 60;

export class Steps extends EventTarget {
  list = []; // {key, kind: "decision" | "area", verdict, reason, types, geometry, site, item, words, undone, version}

  /** Take up what was done before this page was loaded: what the server has, newest first, then what still waits here. */
  recall(confirmed, waiting) {
    const undoneHere = new Set(waiting.map(takenBackBy).filter(Boolean));
    const step = ({ key, kind, verdict, reason, types, geometry = null, site, version }) => ({
      key, kind, verdict, reason, types, geometry, site, item: null, version, undone: false, words: wordsOf(verdict, site),
    });
    // What was kept without being applied has changed nothing: there is nothing to undo.
    const made = this.list.map(({ key }) => key); // while the server was asked
    const isNews = (key) => !made.includes(key) && !undoneHere.has(key);
    const old = confirmed
      .filter(({ verdict, applied, undone, key }) => verdict !== "undo" && applied && !undone && isNews(key))
      .map(step)
      .reverse();
    const known = new Set(old.map(({ key }) => key));
    const fresh = waiting
      .filter((entry) => !takenBackBy(entry) && !known.has(entry.key) && isNews(entry.key))
      .map(({ key, kind, site, body }) => step({ ...body, key, kind, verdict: body.verdict ?? "complete", site, version: null }));
    this.list = [...old, ...fresh, ...this.list].slice(-KEEP);
    this.#changed();
  }

  push(step) {
    this.list = [...this.list, { undone: false, ...step }].slice(-KEEP);
    this.#changed();
  }

  /** The newest step that is not yet undone. */
  get last() {
    return this.list.findLast((step) => !step.undone) ?? null;
  }

  /** The decisions on sites that still stand, oldest first. */
  get onSites() {
    return this.list.filter(({ site, undone }) => site !== null && !undone);
  }

  take(step) {
    step.undone = true;
    this.#changed();
  }

  /** A decision was never applied and is given up: there is nothing to undo. */
  forget(key) {
    this.list = this.list.filter((step) => step.key !== key);
    this.#changed();
  }

  /** A decision was sent again under another key. */
  rename(from, to) {
    const step = this.list.find(({ key }) => key === from);
    if (step) step.key = to;
  }

  /** The server has confirmed a step: its site and the version that it made are known now. */
  learn(key, receipt) {
    const step = this.list.find((other) => other.key === key);
    if (!step) return;
    step.version = receipt.version;
    step.site ??= receipt.site;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** The key of what an entry of the outbox takes back, if it does. */
function takenBackBy({ path, body }) {
  return body.undoes ?? /^reviewed-areas\/(.+)\/revoke\/$/.exec(path)?.[1] ?? null;
}

export function wordsOf(verdict, site) {
  const said = { accept: "accepted", fix: "fixed", reject: "rejected", unsure: "unsure", skip: "skipped", add: "drew a missed mine", complete: "window complete" }[verdict] ?? verdict;
  return site && verdict !== "add" ? `${said} ${site}` : said;
}
