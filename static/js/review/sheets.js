// Small pictures of a scene around a site: one image holds every band combination of the scene, side by side.

import { sceneSheetUrl } from "../map.js";
import { el } from "./dom.js";

const ASPECT = 104 / 76; // as in review/evidence.css
const LEAST_DEGREES = 0.01;

/** Grow bounds to at least a share of a degree, so that a point has surroundings too. */
export function roomy([west, south, east, north], least = LEAST_DEGREES) {
  const growX = Math.max(0, least - (east - west)) / 2;
  const growY = Math.max(0, least - (north - south)) / 2;
  return [west - growX, south - growY, east + growX, north + growY];
}

/** Bounds of the shape of a picture, around a site. */
function framed(item) {
  const [west, south, east, north] = roomy(item.bounds);
  const squeeze = Math.cos((((south + north) / 2) * Math.PI) / 180); // a degree of longitude is shorter than one of latitude
  const [width, height] = [(east - west) * squeeze, north - south];
  const growX = Math.max(0, height * ASPECT - width) / 2 / squeeze;
  const growY = Math.max(0, width / ASPECT - height) / 2;
  return [Math.max(-180, west - growX), Math.max(-85, south - growY), Math.min(180, east + growX), Math.min(85, north + growY)];
}

export function sheetUrl(item, scene) {
  return scene.combinations.length ? sceneSheetUrl(scene, framed(item)) : null;
}

/** The part of a sheet that shows one combination, empty until the sheet is here; null where there is nothing to show. */
export function cell(ahead, item, scene, combination) {
  const index = Math.max(0, scene.combinations.findIndex(({ id }) => id === combination));
  const url = sheetUrl(item, scene);
  if (!url) return null;
  const box = el("span", { class: "cell" });
  ahead.whenHere(url, () => box.append(el("img", { src: url, alt: "", decoding: "sync" })));
  box.style.setProperty("--of", scene.combinations.length);
  box.style.setProperty("--at", index);
  return box;
}
