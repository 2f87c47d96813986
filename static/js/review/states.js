// When there is nothing to review: what happened, what was kept, what to do.

import { duration, el, figure } from "./dom.js";
import { letterOf } from "./keys.js";

function say(title, text, ...actions) {
  return el("div", { class: "state-words" }, el("h2", { text: title }), el("p", { class: "dim", text }), el("div", { class: "row" }, ...actions));
}

const kept = (unsaved) =>
  unsaved ? ` ${figure(unsaved)} ${unsaved === 1 ? "decision is" : "decisions are"} kept in this browser and sent when the server answers.` : "";

const again = (onRetry) => el("button", { type: "button", class: "btn btn-primary", text: "Try now", on: { click: onRetry } });
const link = (href, text) => el("a", { class: "btn", href, text });

const WORDS = {
  loading: () => say("Fetching the first sites", "A moment."),
  finished: (queue, { onRetry, links }) => {
    const { progress } = queue;
    const empty = !progress?.total;
    return empty
      ? say(
          "This campaign has no sites yet",
          "Sites come from seeds and from detection runs. Once an admin has imported seeds that match the campaign, they are here.",
          link(links.sites, "Sites"), link(links.campaigns, "Other campaigns"), again(onRetry),
        )
      : say(
          "Nothing left for you here",
          `${figure(progress.done)} of ${figure(progress.total)} sites are decided; you answered ${figure(progress.mine_today)} today. What remains you have skipped, or it waits for others or for a lead. ${letterOf("undo")} still takes back your last decisions.`,
          link(links.campaigns, "Other campaigns"), link(links.sites, "Look at the sites"), again(onRetry),
        );
  },
  leased: (queue, { onRetry, links }) =>
    say(
      "The last sites are in other hands",
      `${figure(queue.leased.leased)} ${queue.leased.leased === 1 ? "site is" : "sites are"} in review by others; the next is free in ${duration(queue.leased.free_in_s)} at the latest. This page goes on by itself.`,
      again(onRetry), link(links.campaigns, "Other campaigns"),
    ),
  offline: (queue, { onRetry, unsaved }) =>
    say("No connection to the server", `Nothing more has been fetched ahead (${queue.trouble}).${kept(unsaved)} This page tries again every few seconds.`, again(onRetry)),
  "signed-out": (_queue, { onLogIn, unsaved }) =>
    say("You are logged out", `Log in to go on.${kept(unsaved)}`, el("button", { type: "button", class: "btn btn-primary", text: "Log in", on: { click: onLogIn } })),
  trouble: (queue, { onRetry, unsaved, links }) =>
    say("The queue cannot be read", `${queue.trouble}.${kept(unsaved)}`, again(onRetry), link(links.campaigns, "Campaigns")),
  unstored: (queue, { onRetry, links }) =>
    say("Nothing can be written down here", `${queue.trouble}.`, again(onRetry), link(links.campaigns, "Campaigns")),
};

/** Draw the state into its box; hidden while an item is open, or a past decision is looked at. */
export function drawState(box, queue, ctx) {
  const words = queue.current || ctx.isLooking ? null : WORDS[queue.state === "reviewing" ? "loading" : queue.state];
  box.hidden = !words;
  box.replaceChildren(...(words ? [words(queue, ctx)] : []));
}
