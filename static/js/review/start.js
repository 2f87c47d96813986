// What is settled before the first site is on screen.

import { drawState } from "./states.js";

/** The site that the address names, once: a reload goes on with the queue. */
export function askedFor() {
  const address = new URL(location.href);
  const site = Number(address.searchParams.get("site"));
  address.searchParams.delete("site");
  history.replaceState(history.state, "", address);
  return Number.isSafeInteger(site) && site > 0 ? site : null;
}

const SLOW_MS = 4000;

/**
 * Open the place where decisions are written down. Without one nothing may begin: they could be lost. Never ends where
 * the browser refuses, and says so where it does not answer.
 */
export async function openStorage(opening, { box, queue, links }) {
  const say = (trouble) => {
    queue.trouble = trouble;
    queue.state = "unstored";
    drawState(box, queue, { onRetry: () => location.reload(), unsaved: 0, links });
  };
  const telling = setTimeout(say, SLOW_MS, "The storage of this browser does not answer yet, and without it decisions could be lost. The page goes on as soon as it does; if it stays so, close other tabs of this site or free some space");
  try {
    return await opening;
  } catch (error) {
    say(`This browser does not let the page store anything (${error.message}), so decisions could be lost. Allow storage for this site, or leave private browsing`);
    return new Promise(() => {});
  } finally {
    clearTimeout(telling);
  }
}
