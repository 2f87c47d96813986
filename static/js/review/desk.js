// Decisions as they leave the hand: written to the outbox first, remembered for undo.

import { uuid } from "./dom.js";
import { wordsOf } from "./steps.js";

export class Desk {
  #outbox;
  #steps;
  #campaign;

  constructor({ outbox, steps, campaign }) {
    this.#outbox = outbox;
    this.#steps = steps;
    this.#campaign = campaign;
  }

  #body(key, verdict, more) {
    return {
      key,
      site: null,
      base_version: 0,
      verdict,
      reason: "",
      types: {},
      geometry: null,
      comment: "",
      campaign: this.#campaign,
      scene: null,
      undoes: null,
      client_time: new Date().toISOString(),
      ...more,
    };
  }

  /** Decide on an item. On disk when the promise is kept. */
  async decide(item, verdict, { reason = "", types = {}, geometry = null, comment = "", scene = null } = {}) {
    const key = uuid();
    const words = wordsOf(verdict, item.site);
    const body = this.#body(key, verdict, { site: item.site, base_version: item.version, reason, types, geometry, comment, scene });
    await this.#outbox.add({ key, kind: "decision", path: "decisions/", body, site: item.site, after: item.after ?? null, about: words });
    this.#steps.push({ key, kind: "decision", verdict, reason, types, geometry, site: item.site, item: { ...item, claim: null, after: null }, words, version: null });
  }

  async add({ geometry, types, scene, name }) {
    const key = uuid();
    const words = `drew a missed ${name || "mine"}`;
    const body = this.#body(key, "add", { geometry, types, scene });
    await this.#outbox.add({ key, kind: "decision", path: "decisions/", body, about: words });
    this.#steps.push({ key, kind: "decision", verdict: "add", site: null, item: null, words, version: null });
    return key;
  }

  async complete({ geometry, axis, scene }) {
    const key = uuid();
    const body = { key, geometry, axis, campaign: this.#campaign, scene };
    await this.#outbox.add({ key, kind: "area", path: "reviewed-areas/", body, about: "window complete" });
    this.#steps.push({ key, kind: "area", verdict: "complete", site: null, item: null, words: "window complete", version: null });
    return key;
  }

  /** Take a step back. Returns the key of the undo. */
  async undo(step) {
    const key = uuid();
    const refused = this.#outbox.troubled.find((entry) => entry.key === step.key);
    if (refused) {
      // It was never applied: there is nothing on the server to take back.
      await this.#outbox.drop(refused);
      this.#steps.take(step);
      return null;
    }
    if (step.kind === "area") {
      await this.#outbox.add({ key, kind: "revoke", path: `reviewed-areas/${step.key}/revoke/`, body: {}, after: step.key, about: "undo window complete" });
    } else {
      const body = this.#body(key, "undo", { site: step.site, base_version: step.version ?? 0, undoes: step.key });
      const after = step.version === null ? step.key : null;
      await this.#outbox.add({ key, kind: "decision", path: "decisions/", body, site: step.site, after, about: `undo: ${step.words}` });
    }
    this.#steps.take(step);
    return key;
  }

  /** The same decision once more, on the newer version, because its person chose it. */
  async decideAgain(entry) {
    const key = uuid();
    const body = { ...entry.body, key, base_version: entry.current.version };
    await this.#outbox.add({ key, kind: "decision", path: "decisions/", body, site: entry.site, about: entry.about });
    this.#steps.rename(entry.key, key);
    await this.#outbox.drop(entry);
  }
}
