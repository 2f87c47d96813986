"""One piece of ground in two catalogued scenes, and whole in a third file that nobody catalogued."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray

from labelling.core.matching import ClaimSpec
from labelling.core.raster import SceneRef, transformer
from labelling.models import Scene, Site
from labelling.services.scenes import import_scenes
from labelling.services.sites import place_claims
from tests.mines import a_source
from tests.scenes import made_up_ground, make_scene, ref_of

BANDS = ("B02", "B03", "B04", "B08")
CRS = "EPSG:32723"
SIDE = 128
CORNER = Affine(10, 0, 600_000, 0, -10, 7_700_000)
WEST, EAST = slice(0, 68), slice(60, SIDE)
"""Columns of the halves: they overlap by 80 m in the middle."""


@dataclass(frozen=True)
class Halves:
    """The west, which is the newer, the east, and the ground of both."""

    west: Scene
    east: Scene
    whole: SceneRef

    def site(self, columns: tuple[int, int] = (50, 78), rows: tuple[int, int] = (50, 78), name: str = "seam") -> Site:
        """A site over some columns and rows of the ground; in its middle, over the seam."""
        corners = [(column, row) for column in columns for row in rows]
        lonlat = [transformer(CRS, "EPSG:4326").transform(*(CORNER @ corner)) for corner in corners]
        outline = shapely.MultiPoint(lonlat).envelope
        placed = place_claims(source=a_source(), claims=[ClaimSpec(name, outline, {"feature": (("open_pit", None),)})])
        return Site.objects.get(pk=placed.proposals[0].site_id)


def cut_in_halves(folder: Path, **more: Any) -> Halves:
    """Write and catalogue them; the numbers of the east are 1000 higher, and mean the same reflectance."""
    ground = made_up_ground(len(BANDS), SIDE, SIDE, seed=5)
    west = _half(folder / "west.tif", ground, WEST, "2024-07-18T13:30:00Z", **more)
    east = _half(folder / "east.tif", ground + np.uint16(1000), EAST, "2024-07-13T13:30:00Z", offset=-0.1, **more)
    whole = make_scene(folder / "apart" / "whole.tif", data=ground, bands=BANDS, nodata=0, crs=CRS, transform=CORNER)
    return Halves(west, east, ref_of(whole))


def _half(path: Path, ground: NDArray[np.uint16], columns: slice, at: str, **more: Any) -> Scene:
    corner = CORNER @ Affine.translation(columns.start, 0)
    said: dict[str, Any] = {"bands": BANDS, "nodata": 0, "crs": CRS, "transform": corner, "tags": {"ACQUIRED_AT": at}}
    [scene] = import_scenes(paths=[make_scene(path, data=ground[:, :, columns], **said | more)]).added
    return scene
