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

/** Without a place to write decisions down nothing may begin: they could be lost. Never ends. */
export function refuseToBegin(error, { box, queue, links }) {
  queue.trouble = `This browser does not let the page store anything (${error.message}), so decisions could be lost. Allow storage for this site, or leave private browsing`;
  queue.state = "trouble";
  drawState(box, queue, { onRetry: () => location.reload(), unsaved: 0, links });
  return new Promise(() => {});
}
