// What else is known of the ground in view: windows that are complete, and the other sites.

const QUIET_MS = 250;

function boxOf(bounds) {
  const within = (value, limit) => Math.max(-limit, Math.min(limit, value)).toFixed(5);
  return [within(bounds.getWest(), 180), within(bounds.getSouth(), 90), within(bounds.getEast(), 180), within(bounds.getNorth(), 90)].join(",");
}

/** Show them whenever the map has come to rest; `address` gives the sites in a box, `item` the open item. */
export function watchSurroundings({ map, api, address, outlines, item }) {
  let timer;
  const openSite = () => item()?.site ?? null;

  async function show() {
    const bbox = boxOf(map.getBounds());
    const open = openSite();
    try {
      const [areas, sites] = await Promise.all([api.get(`reviewed-areas/?bbox=${bbox}`), api.page(`${address}?bbox=${bbox}`)]);
      if (open !== openSite()) return; // an answer for an item that is no longer open
      for (const { key, geometry, revoked_at } of areas) if (!revoked_at) outlines.addArea(key, geometry);
      outlines.showNeighbours(sites.features, open);
    } catch {
      // surroundings are for orientation; they come with the next item
    }
  }

  map.on("moveend", () => {
    clearTimeout(timer);
    timer = setTimeout(show, QUIET_MS);
  });
}
