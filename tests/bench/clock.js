// In the page of bench_review: what the eye sees, read from the document alone; nothing of the screen's own code is asked.
globalThis.clock = (() => {
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => resolve()));
  const site = () => {
    const words = document.getElementById("place")?.textContent ?? "";
    return Number(/site ([\d\s\u202f]+)/.exec(words)?.[1].replace(/\D/g, "") ?? 0);
  };
  let pressed = 0;
  let was = 0;
  addEventListener("keydown", (event) => ([pressed, was] = [event.timeStamp, site()]), true);

  /** The pictures of the uppermost layer of imagery: its tiles, or the one picture that it is. */
  function pictures() {
    const layers = [...document.querySelectorAll("#map .leaflet-tile-pane > *")].filter((layer) => layer.matches("img, :has(img)"));
    const height = (layer) => Number(getComputedStyle(layer).zIndex) || 0;
    const top = layers.sort((a, b) => height(a) - height(b)).at(-1);
    if (!top) return [];
    return top.matches("img") ? [top] : [...top.querySelectorAll("img")];
  }
  const isShown = (image) =>
    image.isConnected && image.complete && image.naturalWidth > 0 && getComputedStyle(image).visibility === "visible" && getComputedStyle(image).opacity === "1";

  /** Middle and corners of the outline of the open site, which is drawn thickest. */
  function pointsOfSite() {
    const paths = [...document.querySelectorAll("#map .leaflet-overlay-pane path")].filter((path) => path.getAttribute("stroke-width") === "2.5");
    const box = paths.at(-1)?.getBoundingClientRect();
    if (!box) return [];
    return [[0.5, 0.5], [0, 0], [1, 0], [0, 1], [1, 1]].map(([x, y]) => [box.left + x * box.width, box.top + y * box.height]);
  }
  function isCovered([x, y], images) {
    return images.some((image) => {
      const box = image.getBoundingClientRect();
      return x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
    });
  }
  /** Whether every small picture of the open site is there, and the film strip shows it. */
  function isWhole() {
    const film = document.querySelector("#film .current button")?.getAttribute("aria-label") ?? "";
    const cells = [...document.querySelectorAll("#thumbs .cell, #dates .cell, #film .current .cell")].map((cell) => cell.querySelector("img"));
    return film.endsWith(` ${site()}`) && cells.length > 0 && cells.every((image) => image?.complete && image.naturalWidth > 0);
  }

  return {
    /** Wait until another site than at the last press is painted with its imagery. */
    async painted(than = was) {
      for (;;) {
        await frame();
        if (!site() || site() === than) continue;
        const images = pictures();
        const points = pointsOfSite();
        if (!images.length || !points.length || !images.every(isShown) || !points.every((point) => isCovered(point, images))) continue;
        await Promise.all(images.map((image) => image.decode()));
        await frame();
        return { ms: performance.now() - pressed, was: than };
      }
    },
    /** Wait until the card's small pictures and the film strip are there too; in milliseconds since the press. */
    async whole() {
      while (!isWhole()) await frame();
      await frame();
      return performance.now() - pressed;
    },
    async rawFetch(address) {
      const began = performance.now();
      await (await fetch(address, { cache: "no-store" })).text();
      return performance.now() - began;
    },
  };
})();
