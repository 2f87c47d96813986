// A person's own keys: in force at once, kept on the server, and in this browser until the server has them.

import { KEYS, laidOver, useKeys } from "./keys.js";

export class Keymap {
  #api;
  #own;
  #waitingRoom;

  /** `saved`: action -> place, as the server knows it. What this browser could not send yet is newer. */
  constructor({ api, user, saved }) {
    this.#api = api;
    this.#waitingRoom = `mad-keys-${user}`;
    const unsent = this.#unsent();
    this.#own = unsent ?? saved;
    useKeys(this.#own);
    if (unsent) this.#send();
    addEventListener("online", () => this.#send());
  }

  /** action -> place, of every key that can be changed. */
  get places() {
    return laidOver(this.#own);
  }
  get isUsual() {
    return Object.keys(this.#own).length === 0;
  }

  /**
   * Change the keys; only those that differ from the usual ones are kept.
   * @returns {Promise<"server"|"browser"|"refused">} where they are kept now
   */
  async save(places) {
    const before = this.#own;
    this.#own = Object.fromEntries(Object.entries(places).filter(([action, code]) => code && code !== KEYS[action].codes[0]));
    useKeys(this.#own);
    this.#keepUnsent();
    const kept = await this.#send();
    if (kept === "refused") useKeys((this.#own = before));
    return kept;
  }

  async #send() {
    const keys = this.#unsent();
    if (!keys) return "server";
    try {
      await this.#api.put("keys/", { keys });
    } catch (error) {
      if (error.kind !== "refused") return "browser";
      localStorage.removeItem(this.#waitingRoom); // it would be refused for ever
      return "refused";
    }
    if (JSON.stringify(this.#unsent()) === JSON.stringify(keys)) localStorage.removeItem(this.#waitingRoom);
    return "server";
  }

  #keepUnsent() {
    localStorage.setItem(this.#waitingRoom, JSON.stringify(this.#own));
  }

  #unsent() {
    try {
      return JSON.parse(localStorage.getItem(this.#waitingRoom));
    } catch {
      return null;
    }
  }
}
