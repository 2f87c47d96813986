// What stands in front of the screen: what is not yet saved, two versions of one site, and the log-in.

import { capital, el, figure, hectares } from "./dom.js";
import { areaHa, boundsOf, pathOf, polygonsOf } from "./shapes.js";

/** Show a dialog built from elements; it removes itself when it is closed. */
export function open(title, content, { wide = false, className = "" } = {}) {
  const heading = el("h2", { text: title });
  const close = el("button", { type: "button", class: "btn btn-quiet btn-small", text: "Close", on: { click: () => dialog.close() } });
  const dialog = el(
    "dialog",
    { class: `sheet ${wide ? "wide" : ""} ${className}`, "aria-label": title },
    el("div", { class: "card-head" }, heading, close),
    ...content,
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

export function isOpen() {
  return Boolean(document.querySelector("dialog[open]"));
}

const STATE_WORDS = { waiting: "waits to be sent", conflict: "needs your choice", refused: "the server refused it" };

/** Hand the person a file of what is kept here, for an admin who is to look into it. */
function saveCopy(entries) {
  const told = entries.map(({ about, state, error, path, body }) => ({ about, state, error, path, body }));
  const href = URL.createObjectURL(new Blob([JSON.stringify(told, null, 2)], { type: "application/json" }));
  el("a", { href, download: "mad-web-not-yet-saved.json" }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000);
}

/** Everything that the server has not confirmed, with what can be done about each. */
export function showOutbox(outbox, { onChoose, onLogIn }) {
  const list = el("ul", { class: "lines outbox-list" });
  const lead = el("p", { class: "dim" });
  const told = el("span", { class: "dim" });
  const stuck = el("div", { class: "row", hidden: true }, told, el("button", { type: "button", class: "btn", text: "Try now", on: { click: () => outbox.pump() } }));
  const copy = el("button", { type: "button", class: "btn btn-small", text: "Save a copy as a file", on: { click: () => saveCopy(outbox.mine) } });
  const draw = () => {
    const entries = outbox.mine;
    copy.hidden = !entries.length;
    if (outbox.status !== "sending") stuck.hidden = !["offline", "failing"].includes(outbox.status);
    if (outbox.trouble) told.textContent = `Not sent: ${outbox.trouble}.`;
    lead.textContent = entries.length
      ? "These are kept in this browser, in order, until the server confirms them. You can close the browser; they are sent when you are back."
      : "Everything is saved: the server has confirmed each decision.";
    list.replaceChildren(
      ...entries.map((entry) =>
        el(
          "li",
          { class: "outbox-entry" },
          el("span", { class: "grow" }, el("b", { text: entry.about }), el("span", { class: "dim", text: ` · ${STATE_WORDS[entry.state]}` }), entry.error && el("div", { class: "said", text: entry.error })),
          entry.state === "conflict" && el("button", { type: "button", class: "btn btn-small", text: "Choose", on: { click: () => (dialog.close(), onChoose(entry)) } }),
          entry.state === "refused" && el("button", { type: "button", class: "btn btn-small", text: "Send again", on: { click: () => outbox.retry(entry) } }),
          entry.state === "refused" && el("button", { type: "button", class: "btn btn-small btn-danger", text: "Give up", on: { click: () => outbox.drop(entry) } }),
        ),
      ),
    );
  };
  const others = outbox.othersCount;
  const dialog = open("Not yet saved", [
    lead,
    stuck,
    list,
    el("div", { class: "row" }, copy),
    others > 0 && el("p", { class: "note", text: `${others} more in this browser belong to somebody else and are sent when that person logs in here.` }),
    outbox.status === "signed-out" && el("button", { type: "button", class: "btn btn-primary", text: "Log in", on: { click: () => (dialog.close(), onLogIn()) } }),
  ]);
  outbox.addEventListener("change", draw);
  dialog.addEventListener("close", () => outbox.removeEventListener("change", draw));
  draw();
}

function drawing(geometry, bounds, other) {
  const size = 200;
  const box = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  box.setAttribute("viewBox", `-8 -8 ${size + 16} ${size + 16}`);
  box.setAttribute("class", "drawing");
  box.setAttribute("aria-hidden", "true");
  for (const [shape, name] of [[other, "other"], [geometry, "own"]]) {
    if (!shape) continue;
    const path = document.createElementNS(box.namespaceURI, "path");
    path.setAttribute("d", pathOf(shape, bounds, size));
    path.setAttribute("class", name);
    box.append(path);
  }
  return box;
}

function version(title, rows, picture, button) {
  const facts = rows.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", { text: name }), el("dd", { text: value })]);
  return el("section", { class: "version" }, el("h3", { text: title }), picture, el("dl", { class: "facts" }, ...facts), button);
}

const typesIn = (types) => Object.values(types ?? {}).join(", ").replaceAll("_", " ");
const areaIn = (geometry) => hectares(areaHa(polygonsOf(geometry) ?? []));

/**
 * A decision met a newer state: both side by side, and a choice.
 * @param {object} entry of the outbox
 * @param {{leads: boolean, sites: string, others: number, before: string|null}} options whether its person may change
 *   what is finished; the address below which each site has its page; how many other choices wait; and what was
 *   chosen just before, which Enter chooses again
 * @returns {Promise<"mine"|"theirs"|null>} null: not yet
 */
export function chooseVersion(entry, { leads, sites, others, before }) {
  const { body, current } = entry;
  const isOver = current && current.state !== "open" && !leads;
  const latest = current?.history?.find(({ applied, undone }) => applied && !undone); // newest first
  const mine = body.geometry ?? current?.footprint;
  const shapes = [mine, current?.footprint].filter((shape) => shape && polygonsOf(shape));
  const bounds = shapes.length ? boundsOf(shapes) : null;
  return new Promise((resolve) => {
    let choice = null;
    const pick = (value) => () => {
      choice = value;
      dialog.close();
    };
    const dialog = open(`Site ${entry.site} has changed since you saw it`, [
      el("p", {
        class: "dim",
        text: isOver
          ? "It was settled while you looked at it, and what is settled only a lead changes. Your decision stays on record beside it; nothing is lost."
          : `${capital(entry.error)}. Nothing is lost.`,
      }),
      el(
        "div",
        { class: "versions" },
        version(
          "Yours",
          [["Verdict", body.verdict], ["Reason", body.reason?.replaceAll("_", " ")], ["Type", typesIn(body.types)], ["Outline", body.geometry ? areaIn(body.geometry) : "not drawn by you"], ["On version", String(body.base_version)]],
          bounds && drawing(mine, bounds, current?.footprint),
          isOver
            ? el("a", { class: "btn", href: `${sites}${entry.site}/#comments`, target: "_blank", rel: "noopener", text: "Ask a lead about it" })
            : el("button", { type: "button", class: "btn btn-primary", text: "Decide again with mine", data: { choice: "mine" }, on: { click: pick("mine") } }),
        ),
        version(
          "Now on the server",
          [["State", current?.state], ["By", latest?.reviewer], ["Verdict", latest?.verdict], ["Type", typesIn(current?.types)], ["Outline", current?.footprint ? areaIn(current.footprint) : ""], ["Version", String(current?.version ?? "")]],
          bounds && drawing(current?.footprint, bounds, mine),
          el("button", { type: "button", class: "btn", text: "Keep this one", data: { choice: "theirs" }, on: { click: pick("theirs") } }),
        ),
      ),
      el("p", { class: "dim small", text: `${others > 0 ? `${figure(others)} more after this one. ` : ""}Close to choose later: it stays under “needs you” above the map.` }),
    ], { wide: true, className: "conflict" });
    dialog.querySelector(`[data-choice="${before}"]`)?.focus();
    dialog.addEventListener("close", () => resolve(choice));
  });
}

/** Log in again without leaving the page; resolves when the dialog is closed. */
export function logInAgain({ name, count, loginUrl, api }) {
  const told = el("p", { class: "note note-no", role: "alert", hidden: true });
  const password = el("input", { type: "password", id: "again-password", autocomplete: "current-password", required: true });
  const button = el("button", { type: "submit", class: "btn btn-primary", text: "Log in" });
  const form = el(
    "form",
    { class: "form" },
    told,
    el("div", { class: "field" }, el("label", { for: "again-name", text: "Name" }), el("input", { id: "again-name", value: name, readonly: true, autocomplete: "username" })),
    el("div", { class: "field" }, el("label", { for: "again-password", text: "Password" }), password),
    button,
  );
  const dialog = open("You are logged out", [
    el("p", { text: count ? `${count} ${count === 1 ? "decision is" : "decisions are"} kept in this browser and sent as soon as ${name} is logged in again.` : "Log in to go on; nothing is lost." }),
    form,
    el("p", { class: "dim small" }, "Another account? ", el("a", { href: loginUrl, text: "Go to the log-in page" }), ": what is kept here waits for you."),
  ], { className: "login-again" });
  const fail = (words) => {
    told.textContent = words;
    told.hidden = false;
    button.disabled = false;
    password.select();
  };
  return new Promise((resolve) => {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        const trouble = await api.logIn(loginUrl, name, password.value);
        if (trouble) fail(trouble);
        else dialog.close();
      } catch {
        fail("No connection: try again when it is back.");
      }
    });
    dialog.addEventListener("close", () => resolve());
    password.focus();
  });
}
