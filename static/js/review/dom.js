// Elements from data, as text nodes and attributes only.

const HEX = /^#[0-9a-fA-F]{6}$/;

/**
 * Make an element.
 * @param {string} tag
 * @param {object} props `class`, `text`, `data` (dataset), `on` (listeners), `swatch` (#rrggbb); the rest are attributes,
 *   where true means present and false, null or undefined absent
 * @param {...(Node|string|null|false)} children
 */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "text") element.textContent = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "on") for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else if (name === "swatch") swatch(element, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Give an element the colour of a mine type; anything but #rrggbb is ignored. */
export function swatch(element, color) {
  if (HEX.test(color ?? "")) element.style.setProperty("--swatch", color);
}

export function kbd(text) {
  return el("kbd", { text });
}

/** 1204 -> 1 204. */
export function figure(value, places = 0) {
  if (value === null || value === undefined) return "–";
  return Number(value)
    .toFixed(places)
    .replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

export function hectares(value) {
  return `${figure(value, value >= 10 ? 0 : 1)}\u202fha`;
}

/** 2021-07-03 of an ISO time, or a dash. */
export function day(iso) {
  return iso ? String(iso).slice(0, 10) : "no date";
}

/** 340 -> 5 min 40 s. */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}\u202fs`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}\u202fmin` : `${Math.floor(minutes / 60)}\u202fh ${minutes % 60}\u202fmin`;
}

export function capital(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : "";
}

/** A random UUID, also where the page is not in a secure context. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** The press comes first: network and server have their time when the next site is on screen. */
export const AFTER_PAINT_MS = 50;

/** Do something once, when the next frame is on screen, however often it is asked for before. */
export function afterPaint(work) {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() =>
      setTimeout(() => {
        isDue = false;
        work();
      }),
    );
  };
}
