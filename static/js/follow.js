// A log that is replaced in place stays where its reader is: at the end if they were there, else at the same line.

const NEAR_END_PX = 24;
const seen = new Map();

function logs() {
  return document.querySelectorAll("[data-follow]");
}

function remember() {
  for (const log of logs()) {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;
    seen.set(log.id, { atEnd, top: log.scrollTop, left: log.scrollLeft });
  }
}

function restore() {
  for (const log of logs()) {
    const place = seen.get(log.id);
    log.scrollTop = !place || place.atEnd ? log.scrollHeight : place.top;
    log.scrollLeft = place ? place.left : 0;
  }
}

document.body.addEventListener("htmx:beforeSwap", remember);
document.body.addEventListener("htmx:afterSwap", restore);
restore();
