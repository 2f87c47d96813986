// The card beside the map: what, why, how sure, from whom; and the buttons that decide.

import { capital, day, el, figure, hectares, kbd } from "./dom.js";

const FEW = 9;
const REASONS = 2;
const SILENT = ["skip", "undo"]; // the one says nothing of the site, the other shows at what it took back

/** The question at the top. */
export function questionOf(item, option) {
  const proposed = option ?? item.options.find(({ code }) => Object.values(item.types).includes(code));
  return proposed ? `${capital(proposed.name)}?` : "A mine? Of which type?";
}

function subtitle(item) {
  const region = item.region ? `${item.region.name} · ${item.region.realm}` : "no region";
  return [item.name, `site ${figure(item.site)}`, region, item.area_ha > 0 ? hectares(item.area_ha) : "a point"]
    .filter(Boolean)
    .join(" · ");
}

function typeRow(option, { chosen, proposed, axis, onChoose }) {
  const scored = option.score !== null && option.score !== undefined;
  const input = el("input", {
    type: "radio",
    name: "type",
    class: "visually-hidden",
    value: option.code,
    on: { change: () => onChoose(option.code) },
  });
  input.checked = chosen;
  return el(
    "label",
    { class: scored || proposed ? "type" : "type type-short", swatch: option.color, data: { axis } },
    input,
    option.digit ? kbd(String(option.digit)) : el("span", {}),
    el("span", { class: "type-name" }, el("span", { class: "swatch", "aria-hidden": "true" }), el("span", { text: option.name })),
    scored && el("progress", { class: "meter", max: 1, value: option.score, swatch: option.color, "aria-hidden": "true" }),
    scored && el("span", { class: "num", text: option.score.toFixed(2) }),
    !scored && proposed && el("span", { class: "dim small", text: "proposed" }),
  );
}

/** The types, as radio buttons: digits fixed by type, best score first, those nobody proposes in two columns, the rare ones behind a fold. */
export function drawTypes(box, { item, axis, chosen, onChoose }) {
  const row = (option) =>
    typeRow(option, { chosen: option.code === chosen, proposed: item.types[axis] === option.code, axis, onChoose });
  const near = item.options.filter((option, index) => option.digit || option.score || index < FEW || option.code === chosen);
  const far = item.options.filter((option) => !near.includes(option));
  const wasOpen = box.querySelector("details")?.open ?? false;
  const fold = far.length
    ? el("details", { class: "more" }, el("summary", { text: `${far.length} more types` }), ...far.map(row))
    : null;
  if (fold) fold.open = wasOpen;
  box.replaceChildren(...near.map(row), ...(fold ? [fold] : []));
}

function claimLine(claim) {
  const types = Object.values(claim.types ?? {})
    .filter((offers) => offers.length)
    .map(([{ code, score }]) => `${code.replaceAll("_", " ")}${claim.score === null && score !== null ? ` ${score.toFixed(2)}` : ""}`);
  const score = claim.score === null || claim.score === undefined ? "" : ` ${claim.score.toFixed(2)}`;
  const says = claim.is_mine ? types.join(", ") || "a mine" : "no mine here";
  return el(
    "li",
    { title: claim.licence ? `licence: ${claim.licence}` : null },
    el("b", { text: claim.source }),
    el("span", { text: ` ${says}${score}` }),
    el("span", { class: "dim small", text: ` · ${claim.kind}` }),
    claim.note ? el("div", { class: "dim small", text: claim.note }) : null,
  );
}

function pastLine(past) {
  const types = Object.values(past.types ?? {}).join(", ").replaceAll("_", " ");
  const fate = past.applied ? "" : "kept, not applied";
  const words = [past.verdict, past.reason?.replaceAll("_", " "), types, fate].filter(Boolean).join(" · ");
  return el(
    "li",
    {},
    el("span", { class: past.undone ? "undone" : "" }, el("b", { text: past.reviewer }), ` ${words}`),
    el("span", { class: "dim small", text: `${past.undone ? " · undone" : ""} · ${day(past.at)}` }),
    past.comment && el("div", { class: "said", text: past.comment }),
  );
}

function section(title, list) {
  return list.length ? el("section", { class: "card-part" }, el("h3", { text: title }), el("ul", { class: "lines" }, ...list)) : null;
}

function commentLine({ author, at, text }) {
  return el("li", {}, el("b", { text: author }), el("span", { class: "dim small", text: ` · ${day(at)}` }), el("div", { class: "said", text }));
}

/** Sources, history and what else is known of an item. */
export function drawFacts(box, item) {
  const parts = [
    section(item.proposals.length === 1 ? "One source" : `${item.proposals.length} sources`, item.proposals.map(claimLine)),
    section("History", item.history.filter(({ verdict }) => !SILENT.includes(verdict)).map(pastLine)),
    section("Comments", item.comments.map(commentLine)),
  ];
  box.replaceChildren(...parts.filter(Boolean));
}

/** The weightiest reasons for a turn; the others on demand, so that the types stay in sight. */
function reasonsOf(why) {
  const reasons = why.split("; ");
  const rest = reasons.slice(REASONS);
  const few = reasons.slice(0, REASONS).join("; ");
  if (!rest.length) return [few];
  const words = `${rest.length} more ${rest.length === 1 ? "reason" : "reasons"}`;
  return [few, el("details", { class: "more" }, el("summary", { text: words }), el("div", { text: rest.join("; ") }))];
}

/** Question, place and reasons. */
export function drawHead(parts, item, option) {
  parts.question.textContent = questionOf(item, option);
  parts.place.textContent = subtitle(item);
  parts.synthetic.hidden = !item.synthetic;
  parts.why.hidden = !item.why;
  parts.whyText.replaceChildren(...reasonsOf(item.why));
}

/** Pictures of the band combinations; pressing one shows it on the map. */
export function drawThumbs(box, imagery) {
  const { scene, item, combination } = imagery;
  if (!scene || !item) return box.replaceChildren();
  box.replaceChildren(
    ...imagery.combinations.map(({ id, name }) =>
      el(
        "button",
        { type: "button", class: "thumb-button", "aria-pressed": String(id === combination?.id), "aria-label": `show ${name}`, on: { click: () => imagery.choose(id) } },
        imagery.cell(item, scene, id),
        el("span", { text: name }),
      ),
    ),
  );
}

/** What the accept button says now, in two lines. */
export function drawAccept(box, { option, axis, changedOutline }) {
  box.replaceChildren(
    el("b", { text: changedOutline ? "Save outline" : "Accept" }),
    " ",
    el("span", { text: option ? `as ${option.name}` : `without a ${axis} type` }),
  );
}
