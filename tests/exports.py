"""Mines to export, and what was exported of them."""

import json
from pathlib import Path
from typing import Any

from labelling.core.export import ExportSettings
from labelling.models import Label, Snapshot
from labelling.models.spatial import to_shapely
from labelling.services.snapshots import (
    begin_snapshot,
    write_snapshot,
)
from tests.cast import Cast
from tests.truth import LAT, WEST, complete, mines_along, scene_at

CODES = ("open_pit", "pond", "waste_rock_dump")
SMALL: dict[str, Any] = {"chip_px": 64, "pixel_m": 10.0}


def export(format_: str, **more: Any) -> Snapshot:
    values = {**SMALL, **more}
    return write_snapshot(snapshot=begin_snapshot(settings=ExportSettings(format=format_, **values)))


def places(snapshot: Snapshot) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (snapshot.folder / "georeference.jsonl").read_text().splitlines()]


def six_mines(cast: Cast, folder: Path) -> list[Label]:
    """Six mines of three types on six scenes, each reviewed around it, and a place where nobody found anything."""
    mines_along(cast.ana, folder, count=6, codes=CODES)
    scene = scene_at(folder, lon=WEST + 0.5, lat=LAT + 0.006, name="empty", size=128)
    complete(cast.ana, to_shapely(scene.footprint).envelope)
    return list(Label.objects.order_by("site_id"))
