"""A real STAC API on this machine: rustac's server over items of made-up scenes."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

START = datetime(2022, 3, 1, 13, 0, tzinfo=UTC)
BASELINE = {"s2:processing_baseline": "04.00"}


def item_of(
    number: int, *, hrefs: Mapping[str, str], lon: float, collection: str = "mines", **properties: Any
) -> dict[str, Any]:
    """An item as Sentinel-2 catalogues write them: an asset a band, one day after the other."""
    box = [lon, -21.1, lon + 0.01, -21.07]
    west, south, east, north = box
    taken = (START + timedelta(days=number)).isoformat().replace("+00:00", "Z")
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": [],
        "id": f"S2A_{number:03}",
        "collection": collection,
        "geometry": {
            "type": "Polygon",
            "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
        },
        "bbox": box,
        "properties": {"datetime": taken, "eo:cloud_cover": 5.0, **BASELINE, **properties},
        "links": [],
        "assets": {
            key: {"href": href, "type": "image/tiff; application=geotiff; profile=cloud-optimized", "roles": ["data"]}
            for key, href in hrefs.items()
        },
    }


def collection_of(name: str = "mines") -> dict[str, Any]:
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": name,
        "description": "made up",
        "license": "CC0-1.0",
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
        "links": [],
    }


@contextlib.contextmanager
def stac_api(folder: Path, items: list[dict[str, Any]], collections: list[dict[str, Any]]) -> Iterator[str]:
    """Serve items and give the address of the landing page."""
    folder.mkdir(parents=True, exist_ok=True)
    for collection in collections:
        (folder / f"{collection['id']}.json").write_text(json.dumps(collection))
    (folder / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    program = Path(sys.executable).parent / "rustac"
    files = [str(folder / f"{one['id']}.json") for one in collections] + [str(folder / "items.json")]
    log = (folder / "server.log").open("wb")
    with log, subprocess.Popen([program, "serve", "--addr", address, *files], stdout=log, stderr=log) as server:
        try:
            _wait(f"http://{address}", server)
            yield f"http://{address}"
        finally:
            server.terminate()
            server.wait(10)


def _wait(url: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        assert server.poll() is None, "the STAC server did not start"
        with contextlib.suppress(OSError), urlopen(url) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise AssertionError("the STAC server does not answer")
