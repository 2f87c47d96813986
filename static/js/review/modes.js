// What the screen can be in the middle of: editing, drawing, rejecting, completing a window. One at a time; Esc leaves.
/* global L */

import { el, figure, hectares, kbd, swatch } from "./dom.js";
import { Editor } from "./editor.js";
import { actionOf, isKeyOf, keycap, letterOf } from "./keys.js";
import { windowInView } from "./outlines.js";
import { areaHa, polygonsOf, squareAround } from "./shapes.js";

const NEUTRAL = "#ffffff";
const DRAWING = { snappable: false, allowSelfIntersection: false, continueDrawing: false, finishOn: "dblclick", tooltips: false };

/** Whether a press is an action that must wait until the mode is left. */
function isOther(event, allowed) {
  const wanted = actionOf(event);
  return wanted !== null && !allowed.includes(wanted.action);
}

function button(text, key, onPress, className = "btn") {
  const cap = typeof key === "string" ? key && kbd(key) : key;
  return el("button", { type: "button", class: className, data: { press: "" }, on: { click: onPress } }, cap, text);
}

/**
 * @param {object} ctx map, panel (element), item(), option() (the chosen type), types() (all of the axis), scene(),
 *   announce(text), trouble(text), and what to do with a result: edited(geometry), drew(geometry, option) (a promise of
 *   whether it is kept), rejected(reason), completed(geometry); changed() after every entering and leaving
 */
export class Modes {
  #ctx;
  #mode = null;

  constructor(ctx) {
    this.#ctx = ctx;
  }

  get name() {
    return this.#mode?.name ?? null;
  }

  enter(name) {
    this.leave();
    const make = { edit: editMode, draw: drawMode, reject: rejectMode, window: windowMode }[name];
    const mode = make(this.#ctx, () => this.leave());
    if (!mode) return;
    this.#mode = mode;
    mode.draw();
    this.#ctx.panel.hidden = false;
    this.#ctx.changed(this.name);
  }

  leave() {
    if (!this.#mode) return false;
    const { name, end } = this.#mode;
    this.#mode = null;
    end();
    this.#ctx.panel.replaceChildren();
    this.#ctx.panel.hidden = true;
    this.#ctx.changed(null, name);
    return true;
  }

  /** Whether a mode took the key press. */
  key(event) {
    if (!this.#mode) return false;
    if (event.key === "Escape") return this.leave();
    return this.#mode.key(event);
  }
}

/** What edit and draw share: a shape, its facts, and its buttons. */
function shapePanel(ctx, editor, { title, hint, keep, leave, extra = [] }) {
  const facts = el("p", { class: "dim" });
  const undo = button("Undo", keycap("undo"), () => editor.undo(), "btn btn-small");
  const redo = button("Redo", keycap("undo", { shift: true }), () => editor.redo(), "btn btn-small");
  const show = () => {
    facts.textContent = `${hectares(editor.area)} · ${figure(editor.corners)} corners`;
    undo.disabled = !editor.changed;
    redo.disabled = !editor.canRedo;
  };
  editor.addEventListener("change", show);
  show();
  ctx.panel.replaceChildren(
    el("h3", { text: title }),
    facts,
    el("p", { class: "dim small", text: hint }),
    ...extra,
    el("div", { class: "row" }, undo, redo),
    el("div", { class: "mode-acts" }, button("Keep", "↵", keep, "btn btn-primary"), button("Leave", "Esc", leave)),
  );
}

function shapeKey(ctx, editor, keep, event) {
  if (event.key === "Enter") {
    keep();
    return true;
  }
  const told = editor.key(event);
  if (told) ctx.announce(told);
  return told !== null;
}

function editMode(ctx, leave) {
  const item = ctx.item();
  const polygons = polygonsOf(ctx.geometry() ?? item.footprint);
  if (!polygons) {
    ctx.trouble("this kind of outline cannot be edited here");
    return null;
  }
  const editor = new Editor(ctx.map, polygons, ctx.option()?.color ?? NEUTRAL);
  const keep = () => {
    if (editor.fault) return ctx.trouble(editor.fault);
    const { changed, geometry } = editor;
    leave();
    if (changed || item.footprint.type === "Point") ctx.edited(geometry);
  };
  return {
    name: "edit",
    draw() {
      const hint = "Drag a corner; drag the middle of a side for a new one; right-click a corner to remove it. By keys: Tab, arrows, + and −.";
      shapePanel(ctx, editor, { title: "Edit the outline", hint, keep, leave });
      ctx.announce(`Editing the outline, ${editor.corners} corners. Tab chooses a corner, arrows move it, Enter keeps, Escape leaves.`);
    },
    key: (event) => shapeKey(ctx, editor, keep, event),
    end: () => editor.remove(),
  };
}

function drawMode(ctx, leave) {
  const { map } = ctx;
  let editor = null;
  let option = ctx.lastDrawn() ?? ctx.option();

  const save = async () => {
    if (!editor) return;
    if (editor.fault) return ctx.trouble(editor.fault);
    if (await ctx.drew(editor.geometry, option)) leave(); // what could not be written down stays on the map
  };
  const choose = (next) => {
    option = next;
    editor?.setColor(next.color);
    if (editor) shaped();
    else started();
    ctx.announce(next.name);
  };
  const ranked = () => ctx.types().filter(({ digit }) => digit).sort((a, b) => a.digit - b.digit);
  const types = () => {
    const row = (type) => {
      const pick = button(type.name, type.digit ? String(type.digit) : "", () => choose(type), "btn btn-small type-pick");
      pick.setAttribute("aria-pressed", String(type.code === option?.code));
      swatch(pick, type.color);
      return pick;
    };
    return el("div", { class: "type-picks", role: "group", "aria-label": "Type of the missed mine" }, ...ranked().map(row));
  };
  const shaped = () =>
    shapePanel(ctx, editor, { title: "Missed mine", hint: "Choose its type, correct the outline, keep it.", keep: save, leave, extra: [types()] });
  const started = () =>
    ctx.panel.replaceChildren(
      el("h3", { text: "Draw a missed mine" }),
      el("p", { class: "dim small", text: "Press on each corner on the map; the first corner, or a double press, closes it." }),
      types(),
      el("div", { class: "mode-acts" }, button("Place a square", "↵", square), button("Leave", "Esc", leave)),
    );
  const take = (polygons) => {
    map.pm.disableDraw();
    editor = new Editor(map, polygons, option?.color ?? NEUTRAL);
    shaped();
    ctx.announce("Outline placed. Arrows move it, plus and minus scale it, Tab chooses a corner, digits set the type, Enter keeps.");
  };
  const square = () => {
    const { lng, lat } = map.getCenter();
    const side = map.distance(map.getBounds().getSouthWest(), map.getBounds().getSouthEast()) / 6;
    take([[squareAround([lng, lat], side)]]);
  };
  const created = ({ layer }) => {
    layer.remove();
    take(polygonsOf(layer.toGeoJSON().geometry));
  };
  return {
    name: "draw",
    draw() {
      map.on("pm:create", created);
      map.pm.enableDraw("Polygon", { ...DRAWING, pathOptions: { color: option?.color ?? NEUTRAL, weight: 2.5 } });
      started();
      ctx.announce("Drawing a missed mine. Enter places a square in the middle of the view, Escape leaves.");
    },
    key(event) {
      const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
      const type = digit && ctx.types().find((one) => one.digit === Number(digit[1]));
      if (type) {
        choose(type);
        return true;
      }
      if (editor) return shapeKey(ctx, editor, save, event);
      if (event.key === "Enter" || event.key.startsWith("Arrow")) {
        square();
        return true;
      }
      return false;
    },
    end() {
      map.off("pm:create", created);
      map.pm.disableDraw();
      editor?.remove();
    },
  };
}

function rejectMode(ctx, leave) {
  const reject = (reason) => {
    leave();
    ctx.rejected(reason);
  };
  const reasons = ctx.reasons;
  return {
    name: "reject",
    draw() {
      ctx.panel.replaceChildren(
        el("h3", { text: "Why not?" }),
        el("div", { class: "reasons" }, ...reasons.map(({ code, name }, index) => button(name, String(index + 1), () => reject(code)))),
        el("div", { class: "mode-acts" }, button("Leave", "Esc", leave)),
      );
      ctx.announce(`Reject: ${reasons.map(({ name }, index) => `${index + 1} ${name}`).join(", ")}. Escape leaves.`);
    },
    key(event) {
      const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
      const reason = digit ? reasons[Number(digit[1]) - 1] : isKeyOf("reject", event) ? reasons[0] : null;
      if (reason) reject(reason.code);
      return Boolean(reason) || isOther(event, ["help"]);
    },
    end() {},
  };
}

function windowMode(ctx, leave) {
  const { map } = ctx;
  const frame = L.layerGroup().addTo(map);
  let geometry = null;
  const facts = el("p", { class: "dim" });
  const fit = () => {
    geometry = windowInView(map, ctx.scene());
    frame.clearLayers();
    if (geometry) L.geoJSON(geometry, { style: { color: "#3ecf8e", weight: 3, fillOpacity: 0.06, dashArray: "8 6" }, interactive: false }).addTo(frame);
    facts.textContent = geometry ? `${hectares(areaHa(polygonsOf(geometry)))}, the part of the scene in view` : "No part of the scene is in view.";
  };
  const complete = () => {
    if (!geometry) return ctx.trouble("no part of the scene is in view: move the map over it");
    leave();
    ctx.completed(geometry);
  };
  return {
    name: "window",
    draw() {
      map.on("moveend zoomend", fit);
      fit();
      ctx.panel.replaceChildren(
        el("h3", { text: "Is everything in this window labelled?" }),
        facts,
        el("p", { class: "dim small", text: "Every mine in the green frame has been accepted, fixed or drawn; the rest is background and teaches as such. Move and zoom to change the frame." }),
        el("div", { class: "mode-acts" }, button("Window complete", keycap("complete"), complete, "btn btn-ok"), button("Leave", "Esc", leave)),
      );
      ctx.announce(`Window complete? Press ${letterOf("complete")} or Enter to say that everything in view is labelled, Escape to leave.`);
    },
    key(event) {
      if (isKeyOf("complete", event) || event.key === "Enter") {
        complete();
        return true;
      }
      return isOther(event, ["help", "hide", "previousScene", "nextScene"]);
    },
    end() {
      map.off("moveend zoomend", fit);
      frame.remove();
    },
  };
}
