"""All imagery as one map: in each tile the newest scenes or the cleanest, each where those before it end.

A tile costs the same however many scenes are catalogued: an indexed question for those that touch it, at most
``CANDIDATES`` looked at and ``MOST_SCENES`` read, each at the coarseness of the tile. From afar, where one tile would
need more than that, there is none.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import F
from rasterio.transform import from_bounds
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadInput, BadRaster, NotFound
from labelling.core.grid import TileAddress
from labelling.core.mosaic import lay_over
from labelling.core.pixels import Pixels
from labelling.core.render import FORMATS, Combination, combinations_for, empty_tile, limits_of, render
from labelling.core.spectra import WAVELENGTHS_NM
from labelling.core.tiles import MERCATOR, TILE_SIZE, read_tile
from labelling.models import Scene
from labelling.models.scene import SceneQuerySet
from labelling.models.spatial import in_box, to_shapely
from labelling.services.quality import clearness_over
from labelling.services.scenes import scene_roots
from labelling.services.tile_cache import cached_tile, keep_tile
from labelling.services.tiles import etag_of

LATEST, CLEANEST = "latest", "cleanest"
ORDERS = (LATEST, CLEANEST)
LEAST_ZOOM = 8
"""A tile is 150 km wide there, a little more than a tile of Sentinel-2."""
CANDIDATES = 200
MOST_SCENES = 12
BUDGET_S = 10.0
"""No further scene is read into a tile after so long."""
COARSE = 4
"""A large scene without overviews is read where the pixels of the map are up to so many times its own."""
COMBINATIONS = combinations_for(tuple(WAVELENGTHS_NM))
_EQUATOR_M = 40_075_017
_LEAST = 1e-3
_KNOWN_OF = ("version", "name", "kind", "acquired_at", "attribution", "footprint", "bands")
_READ_BY = ("pixel_m", "has_overviews", "width", "height")
_CLEAR_BY = ("clearness", "cell_px", "crs", "transform")


@dataclass(frozen=True)
class MosaicTile:
    """A tile of all imagery, and everything that its image depends on.

    Attributes:
        order: ``latest`` or ``cleanest``.
        combination: which bands.
        fmt: ``png``, ``webp`` or ``jpg``.
        tile: its place.
        scenes: those that it may show, the one that counts most first.
    """

    order: str
    combination: Combination
    fmt: str
    tile: TileAddress
    scenes: tuple[Scene, ...]

    @property
    def content_type(self) -> str:
        """The media type of the image."""
        return FORMATS[self.fmt]

    @property
    def etag(self) -> str:
        """A name, in quotes, that changes whenever the image would: also when a scene comes, goes or is measured."""
        place, made_of = self.tile, [[scene.pk, scene.version] for scene in self.scenes]
        return etag_of("mosaic", self.order, self.combination.id, self.fmt, place.z, place.x, place.y, made_of)


def find_mosaic_tile(*, order: str, combination: str, fmt: str, tile: TileAddress) -> MosaicTile:
    """Find what a tile of all imagery shows.

    Args:
        order: ``latest`` or ``cleanest``.
        combination: id of a combination.
        fmt: ``png``, ``webp`` or ``jpg``.
        tile: its place.

    Raises:
        BadInput: an unknown order, combination or format.
        NotFound: the tile is too far away.
    """
    known = next((one for one in COMBINATIONS if one.id == combination), None)
    if known is None or fmt not in FORMATS:
        ids = ", ".join(one.id for one in COMBINATIONS)
        msg = f"no such combination or format; there are {ids}, as {', '.join(FORMATS)}"
        raise BadInput(msg)
    return MosaicTile(order, known, fmt, tile, scenes_in_tile(order=order, tile=tile, combination=combination))


def scenes_in_tile(*, order: str, tile: TileAddress, combination: str) -> tuple[Scene, ...]:
    """Choose the scenes of a tile, the one that counts most first.

    Args:
        order: ``latest`` (single dates before composites) or ``cleanest`` (by what was measured within the tile;
            what is not measured comes last).
        tile: its place.
        combination: id of a combination that they must allow.

    Raises:
        BadInput: an unknown order.
        NotFound: the tile is too far away.
    """
    if order not in ORDERS:
        msg = f"no such order; there are {', '.join(ORDERS)}"
        raise BadInput(msg)
    if tile.z < LEAST_ZOOM:
        msg = f"imagery begins at zoom {LEAST_ZOOM}: come closer"
        raise NotFound(msg)
    near = Scene.objects.filter(in_box(Scene, "footprint", tile.bounds()))
    found = _newest(near) if order == LATEST else _cleanest(near, tile)
    return _seen([scene for scene in found if _bands_of(scene, combination) and _is_quick(scene, tile)], tile)


def _newest(near: SceneQuerySet) -> list[Scene]:
    return _first(near.order_by("-kind", F("acquired_at").desc(nulls_last=True), "pk"), (*_KNOWN_OF, *_READ_BY))


def _first(ordered: SceneQuerySet, fields: tuple[str, ...]) -> list[Scene]:
    # By their numbers alone: the database would sort outlines and clearness along.
    numbers = list(ordered.values_list("pk", flat=True)[:CANDIDATES])
    found = Scene.objects.only(*fields).in_bulk(numbers)
    return [found[number] for number in numbers if number in found]


def _cleanest(near: SceneQuerySet, tile: TileAddress) -> list[Scene]:
    found = _first(near.cleanest_first(), (*_KNOWN_OF, *_READ_BY, *_CLEAR_BY))
    clear = {scene.pk: clearness_over(scene=scene, boxes=[tile.bounds()])[0] for scene in found}

    def by_clearness(scene: Scene) -> tuple[float, float]:
        share = clear[scene.pk]
        # In tenths, so that of scenes that are about as clear the newest counts.
        return -1.0 if share is None else round(share, 1), scene.acquired_at.timestamp() if scene.acquired_at else 0.0

    return sorted(found, key=by_clearness, reverse=True)


def _bands_of(scene: Scene, combination: str) -> tuple[str, ...]:
    return next((one.bands for one in combinations_for(scene.bands) if one.id == combination), ())


def _is_quick(scene: Scene, tile: TileAddress) -> bool:
    """Else the whole file would be read for a few pixels of the map."""
    _, south, _, north = tile.bounds()
    pixel_m = _EQUATOR_M * np.cos(np.radians((south + north) / 2)) / (TILE_SIZE << tile.z)
    return not scene.wants_overviews or bool(pixel_m <= COARSE * scene.pixel_m)


def _seen(scenes: list[Scene], tile: TileAddress) -> tuple[Scene, ...]:
    """Those that show ground which none before them does; then, as there may be holes in it, the next in order."""
    place: BaseGeometry = shapely.box(*tile.bounds())
    rest = place
    needed, spare = list[int](), list[int]()
    for number, scene in enumerate(scenes):
        shown = to_shapely(scene.footprint)
        if not shown.intersects(place):
            continue
        left = rest if rest.is_empty else shapely.difference(rest, shown)
        (needed if rest.area - left.area > _LEAST * place.area else spare).append(number)
        rest = left
    return tuple(scenes[number] for number in sorted((needed + spare)[:MOST_SCENES]))


def draw_mosaic_tile(*, wanted: MosaicTile) -> tuple[bytes, bool]:
    """Draw a tile of all imagery, or take the one that was drawn before.

    Reflectance of all scenes is shown by the same limits, so that neighbours can be compared. A scene whose file
    cannot be read is passed over.

    Args:
        wanted: from ``find_mosaic_tile``.

    Returns:
        The encoded image, transparent (JPEG: black) where no scene has data, and whether nothing was passed over.
    """
    if not wanted.scenes:
        return empty_tile(wanted.fmt), True
    key = wanted.etag.strip('"')
    kept = cached_tile(key=key)
    if kept is not None:
        return kept, True
    passed_over: list[int] = []
    pixels = lay_over(_parts(wanted, passed_over))
    count = len(wanted.combination.bands)
    limits = limits_of(wanted.combination, display={}, scales=(1.0,) * count, offsets=(0.0,) * count)
    image = render(pixels, wanted.combination, limits=limits, fmt=wanted.fmt)
    if not passed_over:
        keep_tile(key=key, image=image)
    return image, not passed_over


def _parts(wanted: MosaicTile, passed_over: list[int]) -> Iterator[Pixels]:
    nothing = np.zeros((len(wanted.combination.bands), TILE_SIZE, TILE_SIZE), np.float32)
    yield Pixels(
        nothing,
        nothing[0] > 0,
        MERCATOR.to_string(),
        from_bounds(*wanted.tile.mercator_bounds(), TILE_SIZE, TILE_SIZE),
        wanted.combination.bands,
    )
    end, roots = time.monotonic() + BUDGET_S, scene_roots()
    whole = Scene.objects.defer("clearness", "provenance").in_bulk([scene.pk for scene in wanted.scenes])
    for scene in (whole[one.pk] for one in wanted.scenes if one.pk in whole):
        if time.monotonic() > end:
            passed_over.append(scene.pk)
            return
        try:
            bands = _bands_of(scene, wanted.combination.id)
            yield read_tile(scene.ref(), tile=wanted.tile, bands=bands, roots=roots)
        except BadRaster:
            passed_over.append(scene.pk)


def layers_for(user: User | AnonymousUser) -> dict[str, Any] | None:
    """What a map needs to offer these tiles to a person: addresses as Leaflet fills them in, and the choices.

    None where the person may not see scenes.
    """
    if not user.has_perm("labelling.view_scene"):
        return None
    return {
        "tiles": "/tiles/mosaics/{order}/{combination}/{z}/{x}/{y}.webp",
        "scenes": "/tiles/mosaics/{order}/{combination}/{z}/{x}/{y}.json",
        "orders": list(ORDERS),
        "combinations": [{"id": one.id, "name": one.name} for one in COMBINATIONS],
        "least_zoom": LEAST_ZOOM,
    }
