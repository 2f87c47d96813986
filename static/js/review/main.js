// The review screen: one key a decision, never a wait, never a loss. This file only ties the parts together.

import { createMap } from "../map.js";
import { offerMosaics } from "../mosaics.js";
import { Ahead } from "./ahead.js";
import { createApi } from "./api.js";
import { drawAccept, drawFacts, drawHead, drawThumbs, drawTypes } from "./card.js";
import { Compare } from "./compare.js";
import { drawDates } from "./dates.js";
import { Desk } from "./desk.js";
import { Deciding, UNASKED } from "./deciding.js";
import { afterPaint, figure } from "./dom.js";
import { DONE_SHOWN, drawFilm } from "./film.js";
import { drawBands, Imagery } from "./imagery.js";
import { Keymap } from "./keymap.js";
import { letterOf, readLayout } from "./keys.js";
import { showKeys } from "./keysheet.js";
import { drawLooked, Looking } from "./looking.js";
import { Modes } from "./modes.js";
import { Outbox } from "./outbox.js";
import { Outlines, wordsFor } from "./outlines.js";
import { listen } from "./presses.js";
import { Queue } from "./queue.js";
import { Saving } from "./saving.js";
import { areaHa, polygonsOf } from "./shapes.js";
import { drawState } from "./states.js";
import { Spectra } from "./spectrum.js";
import { askedFor, openStorage } from "./start.js";
import { Status } from "./status.js";
import { Steps } from "./steps.js";
import { watchSurroundings } from "./surroundings.js";
import { Waits } from "./waits.js";

const config = JSON.parse(document.getElementById("review-config").textContent);
const $ = (id) => document.getElementById(id);

const api = createApi({ base: config.api, session: config.session, user: config.user.id });
const status = new Status({
  live: $("live"), toast: $("toast"), meter: $("progress-meter"), count: $("progress-count"), pace: $("pace"), saved: $("saved"),
});
const map = createMap($("map"), { zoomControl: false, keyboard: false });
offerMosaics(map, config.mosaics);
const ahead = new Ahead();
const imagery = new Imagery({ map, ahead });
const compare = new Compare({ map, imagery, box: $("compare") });
const spectra = new Spectra({ fetch: (path) => api.page(config.api + path), box: $("spectrum") });
const outlines = new Outlines(map);
const queue = new Queue({ api, slug: config.campaign.slug, first: askedFor() });
const steps = new Steps();
const waits = new Waits({ api });
const keymap = new Keymap({ api, user: config.user.id, saved: config.keys });
const axis = config.campaign.axis;
readLayout();
const outbox = await openStorage(Outbox.open(api), { box: $("state"), queue, links: config.links });
const desk = new Desk({ outbox, steps, campaign: config.campaign.slug });
const fetchItem = (site) => api.get(`sites/${site}/?campaign=${config.campaign.slug}`);
const deciding = new Deciding({ desk, queue, steps, outlines, status, card: $("card"), waits, fetchItem });
const looking = new Looking({ steps, fetchItem, trouble: (text) => status.toast(text, "warn") });
const saving = new Saving({ api, slug: config.campaign.slug, user: config.user, links: config.links, outbox, desk, steps, queue, status });

let chosen = null; // code of the chosen type
let drawn = null; // outline that was edited, not yet submitted
let lastDrawn = null; // type of the last missed mine

const item = () => looking.item ?? queue.current;
const options = () => item()?.options ?? config.types;
const optionOf = (code) => options().find((option) => option.code === code) ?? null;
const scene = () => imagery.scene?.id ?? null;

const modes = new Modes({
  map,
  panel: $("mode"),
  reasons: config.reasons,
  item,
  option: () => optionOf(chosen),
  types: options,
  scene: () => imagery.scene,
  geometry: () => drawn,
  lastDrawn: () => lastDrawn,
  announce: (text) => status.announce(text),
  trouble: (text) => status.toast(text, "warn"),
  edited(geometry) {
    drawn = geometry;
    status.announce(`outline changed, not yet saved: ${letterOf("accept")} saves it`);
    drawOpen();
  },
  drew(geometry, option) {
    lastDrawn = option;
    return deciding.draw({ geometry, option, axis, scene: scene() });
  },
  rejected: (reason) => decide("reject", { reason }),
  completed: (geometry) => deciding.complete({ geometry, axis, scene: scene() }),
  changed(name, left) {
    document.body.dataset.mode = name ?? "";
    compare.blur(); // the arrows are for the outline now
    $("acts").hidden = Boolean(name);
    if (name === "edit") outlines.clear();
    if (left === "edit") drawOpen();
  },
});

// ---- the open item -------------------------------------------------------------------------------------------

function startItem() {
  modes.leave();
  const open = item();
  chosen = open ? (looking.step?.types?.[axis] ?? open.types[axis] ?? open.options.find(({ score }) => score)?.code ?? null) : null;
  drawn = looking.step?.geometry ?? null;
  if ($("comment-part").open) $("card-scroll").scrollTop = 0; // the field had moved the question out of sight
  $("comment").value = "";
  $("comment-part").open = false;
}

function drawOpen() {
  const open = item();
  $("open").hidden = !open;
  if (!open) return outlines.clear();
  const option = optionOf(chosen);
  const area = drawn ? areaHa(polygonsOf(drawn) ?? []) : open.area_ha;
  if (modes.name !== "edit") outlines.show(open, { geometry: drawn, color: option?.color, words: wordsFor(option, area) });
  drawTypes($("types"), { item: open, axis, chosen, onChoose: choose });
  drawAccept($("accept-words"), { option, axis, changedOutline: Boolean(drawn) });
  $("accept").dataset.verdict = isFix() ? "fix" : "accept";
}

function isFix() {
  return Boolean(drawn) || chosen !== (item().types[axis] ?? null);
}

function choose(code) {
  chosen = code;
  drawOpen();
  status.announce(`${optionOf(code).name}: ${letterOf("accept")} accepts`);
}

function showItem({ keepView = false } = {}) {
  const open = item();
  startItem();
  outlines.showNeighbours([], null);
  compare.leave();
  ahead.stir();
  imagery.show(open, { keepView });
  document.body.dataset.looking = looking.isOn ? "back" : "";
  $("types-part").disabled = looking.isOn;
  $("acts").hidden = looking.isOn;
  drawLooked($("looked"), looking, (code) => optionOf(code)?.name ?? code);
  if (open) {
    drawHead({ question: $("question"), place: $("place"), synthetic: $("synthetic"), why: $("why"), whyText: $("why-text") }, open, null);
    drawFacts($("facts"), open);
    $("ask").href = `${config.links.sites}${open.site}/#comments`;
    status.announce(looking.isOn ? `Site ${open.site}. ${$("looked").querySelector("p").textContent}` : `${$("question").textContent} ${open.why}`);
  }
  drawOpen();
  drawWhole();
}

queue.addEventListener("show", ({ detail: { item: open, why } }) => {
  looking.end();
  showItem({ keepView: why === "changed" });
  if (open && why in UNASKED) status.toast(UNASKED[why], "warn");
});
outbox.addEventListener("elsewhere", ({ detail: { site, undoes } }) => {
  if (undoes) {
    steps.forget(undoes);
    queue.allow(site);
  } else if (site && queue.current?.site !== site) queue.pass(site);
  else if (site && !modes.name && !drawn && !$("comment").value) queue.pass(site, "elsewhere"); // else both stand, and it is asked which holds
});
looking.addEventListener("change", () => {
  if (!looking.isOn) deciding.waitUntilSeen();
  showItem();
  wantPictures();
});

const drawEvidence = afterPaint(() => {
  drawBands($("bands"), imagery, acts);
  drawThumbs($("thumbs"), imagery);
  drawDates($("dates"), imagery);
  spectra.show(item(), imagery.scene);
  $("compare-button").disabled = (item()?.scenes.length ?? 0) < 2;
});

imagery.addEventListener("shown", () => item() && waits.end());
imagery.addEventListener("change", () => {
  drawEvidence();
  $("no-scene").hidden = !item() || Boolean(imagery.scene);
});

compare.addEventListener("change", () => $("compare-button").setAttribute("aria-pressed", String(compare.isOn)));
compare.addEventListener("say", ({ detail: { text } }) => status.toast(text));

// ---- deciding ------------------------------------------------------------------------------------------------

function decide(verdict, more = {}) {
  const open = item();
  const types = chosen && (verdict === "fix" || verdict === "accept") ? { [axis]: chosen } : {};
  const geometry = verdict === "fix" ? drawn : null;
  deciding.decide(open, verdict, { types, geometry, comment: $("comment").value.trim(), scene: scene(), ...more });
}

/** What needs an open site: not one that is decided and only looked at. */
const withOpen = (act) => () => {
  if (looking.isOn) status.toast(`You decided this one before. ${letterOf("undo")} takes it back, ${letterOf("leave")} leads to the open site.`, "warn");
  else if (item()) act();
};

const acts = {
  accept: withOpen(() => decide(isFix() ? "fix" : "accept")),
  reject: withOpen(() => modes.enter("reject")),
  unsure: withOpen(() => decide("unsure")),
  skip: withOpen(() => decide("skip")),
  undo() {
    const { step } = looking;
    looking.leave();
    deciding.undo(step ?? steps.last);
  },
  back: () => modes.leave() || looking.back(),
  forward: () => looking.forward(),
  edit: withOpen(() => modes.enter("edit")),
  draw: withOpen(() => modes.enter("draw")),
  complete: withOpen(() => modes.enter("window")),
  bands() {
    imagery.nextCombination();
    status.announce(imagery.combination?.name ?? "no image");
  },
  hide: () => status.announce(outlines.toggleHidden() ? "outline hidden" : "outline shown"),
  previousScene: () => stepScene(-1),
  nextScene: () => stepScene(1),
  compare: () => item() && compare.toggle(),
  fit: () => imagery.fit(),
  zoomIn: () => map.zoomIn(1, { animate: false }),
  zoomOut: () => map.zoomOut(1, { animate: false }),
  comment: withOpen(() => {
    $("comment-part").open = true;
    $("comment").focus();
  }),
  help: () => showKeys(keymap),
  saved: () => saving.show(),
  leave: () => modes.leave() || compare.leave() || looking.leave(),
};

function stepScene(by) {
  imagery.step(by);
  if (imagery.scene) status.announce(`scene ${imagery.index + 1} of ${item().scenes.length}: ${imagery.scene.name}`);
}

listen({
  acts,
  touched: () => queue.touch(),
  comment: $("comment"),
  inMode: (event) => modes.key(event),
  pan: (x, y) => map.panBy([x, y], { animate: false }),
  type(digit) {
    const option = item() && !looking.isOn && options().find((one) => one.digit === digit);
    if (option) choose(option.code);
    return Boolean(option);
  },
});

// ---- around the open item ------------------------------------------------------------------------------------

function drawWhole() {
  drawState($("state"), queue, { isLooking: looking.isOn, onRetry: () => queue.refresh(), onLogIn: () => saving.logIn(), unsaved: outbox.mine.length, links: config.links });
  drawStrip();
}

const drawStrip = afterPaint(() => {
  const cell = (...parts) => imagery.cell(...parts);
  drawFilm($("film"), { steps: steps.onSites, looked: looking.step, current: queue.current, ahead: queue.ahead, cell, onBack: (step) => looking.at(step), onOpen: () => looking.leave(), onJump: (site) => queue.jump(site) });
  const last = looking.step ?? steps.last;
  $("undo").disabled = !last;
  $("back").disabled = !steps.onSites.length;
  $("undo-words").textContent = last ? `undo “${last.words}”` : "nothing to undo";
  $("ahead-words").textContent = queue.ahead.length ? `${figure(queue.ahead.length)} more are already here` : "";
});

function wantPictures() {
  const open = item();
  ahead.want(
    queue.ahead.flatMap((next) => imagery.groundTasks(next)),
    [
      ...(open ? imagery.sheetTasks(open, open.scenes.length) : []),
      ...queue.ahead.flatMap((next) => imagery.sheetTasks(next)),
      ...queue.ahead.flatMap((next) => spectra.tasks(next)),
      ...steps.onSites.slice(-DONE_SHOWN).flatMap((step) => (step.item ? imagery.sheetTasks(step.item, 1) : [])), // decided in a hurry
    ],
  );
}

queue.addEventListener("ahead", () => {
  drawStrip();
  wantPictures();
});
queue.addEventListener("progress", () => status.progress(queue.progress));
queue.addEventListener("state", () => {
  if (queue.state === "finished" || queue.state === "leased") waits.forget();
  drawWhole();
});
queue.addEventListener("failure", ({ detail: { error } }) => {
  if (error.kind === "signed-out") saving.logIn();
  else if (queue.current && error.kind === "refused") status.toast(`The queue did not answer: ${error.message}`, "no");
  drawWhole();
});
steps.addEventListener("change", drawStrip);

watchSurroundings({ map, api, address: config.links.sitesMap, outlines, item });

addEventListener("pagehide", () => queue.leave());
addEventListener("pageshow", ({ persisted }) => persisted && (queue.refresh(), outbox.pump())); // back again, as it was left
saving.recall();
await queue.start(saving.decidedSites);
outbox.pump();
