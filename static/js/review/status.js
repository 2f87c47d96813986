// What the screen says of itself: progress, what is saved, and words for those who listen rather than look.

import { el, figure } from "./dom.js";

export class Status {
  #parts;
  #toastTimer = null;

  constructor(parts) {
    this.#parts = parts;
  }

  /** Say something to a screen reader. */
  announce(text) {
    this.#parts.live.textContent = "";
    requestAnimationFrame(() => (this.#parts.live.textContent = text));
  }

  /** Say something to everybody, for a moment; `kind` is ok, warn or no. */
  toast(text, kind = "ok") {
    const box = this.#parts.toast;
    box.replaceChildren(el("div", { class: `note note-${kind}`, text }));
    clearTimeout(this.#toastTimer);
    this.#toastTimer = setTimeout(() => box.replaceChildren(), kind === "ok" ? 2200 : 7000);
    this.announce(text);
  }

  progress(progress) {
    if (!progress) return;
    const { meter, count, pace } = this.#parts;
    meter.max = Math.max(progress.total, 1);
    meter.value = progress.done;
    count.textContent = `${figure(progress.done)} / ${figure(progress.total)}`;
    const rate = progress.per_minute ? ` · ${figure(progress.per_minute, 1)} / min` : "";
    pace.textContent = `today ${figure(progress.mine_today)}${rate}`;
  }

  /** The pill that is never wrong about what is safe. */
  saved(outbox) {
    const { saved } = this.#parts;
    const { unsent, troubled, othersCount, status } = outbox;
    const count = unsent + troubled.length;
    let [text, kind] = [`${figure(count)} not yet saved`, "warn"];
    if (troubled.length) [text, kind] = [`${figure(troubled.length)} need${troubled.length === 1 ? "s" : ""} you`, "no"];
    else if (!count) [text, kind] = [othersCount ? `all saved · ${figure(othersCount)} of somebody else` : "all saved", "ok"];
    else if (status === "signed-out") text = `${text} · log in`;
    else if (status === "offline") text = `${text} · offline`;
    else if (status === "failing") text = `${text} · server trouble`;
    if (saved.textContent === text && saved.dataset.unsaved === String(count)) return;
    saved.textContent = text;
    saved.className = `pill pill-${kind} pill-press`;
    saved.dataset.unsaved = String(count);
  }
}
