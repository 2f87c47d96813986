"""Which scenes a run looks at."""

from collections.abc import Sequence
from pathlib import Path

import shapely
from django.contrib.gis.geos import MultiPolygon

from inference.core.errors import InferenceError, NothingToDetect
from labelling.core.formats import read_vector
from labelling.models import Scene
from labelling.models.spatial import to_geos
from labelling.services.scenes import scenes_called


def read_aoi(file: Path) -> MultiPolygon:
    """Read an area of interest from a vector file that may be hostile.

    Returns:
        All its polygons as one, EPSG:4326.

    Raises:
        BadInput: not a vector file that is taken.
        InferenceError: a row is refused, or nothing in it has an area.
    """
    table = read_vector(file)
    for row in table.rows:
        if row.fault:
            msg = f"{table.file}, row {row.number}: {row.fault}"
            raise InferenceError(msg)
    areas = [row.geometry for row in table.rows if row.geometry is not None and row.geometry.area > 0]
    if not areas:
        msg = f"{table.file}: no polygon in it; an area of interest is one or more polygons"
        raise InferenceError(msg)
    parts = shapely.get_parts(shapely.union_all(areas))
    return MultiPolygon([to_geos(part) for part in parts], srid=4326)


def select_scenes(*, wanted: Sequence[str] = (), aoi: MultiPolygon | None = None) -> list[Scene]:
    """Find scenes by what a person may call them.

    Args:
        wanted: ids, names, or absolute paths of files or folders; none for every scene.
        aoi: only scenes that touch this, EPSG:4326.

    Raises:
        NothingToDetect: one of those wanted is not catalogued, or nothing is left.
    """
    found = {scene.pk: scene for text in wanted for scene in _called(text)} if wanted else Scene.objects.in_bulk()
    if aoi is not None:
        touching = set(Scene.objects.filter(footprint__intersects=aoi).values_list("pk", flat=True))
        found = {number: scene for number, scene in found.items() if number in touching}
    if not found:
        msg = "no scene touches the area" if aoi is not None else "no scenes are catalogued: import some first"
        raise NothingToDetect(msg)
    return [found[number] for number in sorted(found)]


def _called(text: str) -> list[Scene]:
    found = scenes_called(text)
    if not found:
        msg = f"no catalogued scene is called {text}, has this number, or lies in this folder"
        raise NothingToDetect(msg)
    return found
