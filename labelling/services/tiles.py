"""Tiles and thumbnails of scenes: which scene, which version, drawn how, and kept for the next who asks."""

import hashlib
import json
from dataclasses import dataclass, replace

from django.contrib.gis.geos import Polygon

from labelling.core.errors import BadInput, NotFound
from labelling.core.grid import TileAddress
from labelling.core.masks import METHOD as MASKS
from labelling.core.masks import mask_bands, read_weights
from labelling.core.raster import Pixels, transformer
from labelling.core.render import (
    FORMATS,
    WEIGHTS,
    Combination,
    Limits,
    combinations_for,
    empty_tile,
    find_combination,
    limits_of,
    parse_stretch,
    render,
    render_sheet,
)
from labelling.core.tiles import Bounds, read_box, read_tile
from labelling.models import Scene
from labelling.services.scenes import scene_roots
from labelling.services.tile_cache import cached_tile, keep_tile

RENDERER = f"1.{MASKS}"
"""To be raised whenever the same scene and address are drawn differently than before."""
MAX_THUMB = 1024
MAX_LATITUDE = 85.05


@dataclass(frozen=True)
class Look:
    """How a scene is asked to be drawn: everything of the address but the place.

    Attributes:
        scene: the scene, of the version that the address names.
        combination: which bands.
        stretch: one pair of limits for all bands, or None for the scene's own.
        fmt: ``png``, ``webp`` or ``jpg``.
    """

    scene: Scene
    combination: Combination
    stretch: Limits | None
    fmt: str

    @property
    def content_type(self) -> str:
        """The media type of the image."""
        return FORMATS[self.fmt]

    def etag(self, *place: object) -> str:
        """A name, in quotes, that changes whenever the image would."""
        said = [RENDERER, self.scene.pk, self.scene.version, self.combination.id, self.stretch, self.fmt, *place]
        return f'"{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:24]}"'

    def limits(self) -> tuple[Limits, ...]:
        """Darkest and brightest of each band, or of the index."""
        return (self.stretch,) if self.stretch else _own_limits(self.scene, self.combination)


@dataclass(frozen=True)
class Sheet:
    """A scene in every combination that its bands allow, side by side.

    Attributes:
        scene: the scene, of the version that the address names.
        fmt: ``png``, ``webp`` or ``jpg``.
    """

    scene: Scene
    fmt: str

    @property
    def content_type(self) -> str:
        """The media type of the image."""
        return FORMATS[self.fmt]

    def etag(self, *place: object) -> str:
        """A name, in quotes, that changes whenever the image would."""
        said = ["sheet", RENDERER, self.scene.pk, self.scene.version, self.fmt, *place]
        return f'"{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:24]}"'


def _own_limits(scene: Scene, combination: Combination) -> tuple[Limits, ...]:
    ref = scene.ref()
    places = [index - 1 for index in ref.indexes(combination.bands)]
    scales, offsets = ([values[place] for place in places] for values in (ref.scales, ref.offsets))
    return limits_of(combination, display=scene.display, scales=scales, offsets=offsets)


class OldVersion(NotFound):
    """The address names a version of the scene that is no more.

    Attributes:
        current: the version that is now.
    """

    def __init__(self, current: str) -> None:
        self.current = current
        super().__init__("the scene has changed since")


def find_look(*, scene_id: int, version: str, combination: str, stretch: str, fmt: str) -> Look:
    """Understand the address of a tile or thumbnail.

    Args:
        scene_id: the scene.
        version: of the scene.
        combination: id of a combination, one or three bands with commas between, or ``weights``.
        stretch: ``lo,hi`` in reflectance (of an index: in its values), or empty for the scene's own.
        fmt: ``png``, ``webp`` or ``jpg``.

    Raises:
        NotFound: there is no such scene.
        OldVersion: the scene has another version now.
        BadInput: an unknown combination or format, or a stretch that is none.
    """
    limits = parse_stretch(stretch)
    scene = _find_scene(scene_id, version, fmt)
    if combination == WEIGHTS.id:
        return Look(scene, replace(WEIGHTS, bands=mask_bands(scene.ref())), limits, fmt)
    return Look(scene, find_combination(combination, scene.bands), limits, fmt)


def find_sheet(*, scene_id: int, version: str, fmt: str) -> Sheet:
    """Understand the address of a sheet of small pictures.

    Args:
        scene_id: the scene.
        version: of the scene.
        fmt: ``png``, ``webp`` or ``jpg``.

    Raises:
        NotFound: there is no such scene.
        OldVersion: the scene has another version now.
        BadInput: an unknown format.
    """
    return Sheet(_find_scene(scene_id, version, fmt), fmt)


def _find_scene(scene_id: int, version: str, fmt: str) -> Scene:
    if fmt not in FORMATS:
        msg = f"no such format; there are {', '.join(FORMATS)}"
        raise BadInput(msg)
    scene = Scene.objects.filter(pk=scene_id).first()
    if scene is None:
        msg = "no such scene"
        raise NotFound(msg)
    if scene.version != version:
        raise OldVersion(scene.version)
    return scene


def draw_tile(*, look: Look, tile: TileAddress) -> bytes:
    """Draw a map tile, or take the one that was drawn before.

    Args:
        look: scene, bands, stretch, format.
        tile: its place.

    Returns:
        The encoded image, transparent (JPEG: black) where the scene has nothing.

    Raises:
        NotFound: the tile lies outside the footprint of the scene.
        BadRaster: the file cannot be read.
    """
    if not look.scene.footprint.intersects(Polygon.from_bbox(tile.bounds())):
        msg = "the scene has nothing there"
        raise NotFound(msg)
    key = look.etag(tile.z, tile.x, tile.y).strip('"')
    kept = cached_tile(key=key)
    if kept is not None:
        return kept
    pixels = read_tile(look.scene.ref(), tile=tile, bands=look.combination.bands, roots=scene_roots())
    if not pixels.mask.any():
        return empty_tile(look.fmt)
    image = _drawn(look, pixels)
    keep_tile(key=key, image=image)
    return image


def draw_thumb(*, look: Look, bounds: Bounds | None, size: int) -> bytes:
    """Draw a small picture of a scene or of a part of it.

    Args:
        look: scene, bands, stretch, format.
        bounds: west, south, east, north in EPSG:4326; None for the whole scene.
        size: the longer side in pixels.

    Raises:
        BadRaster: the file cannot be read.
    """
    pixels = _read_bounds(look.scene, look.combination.bands, bounds, size)
    return _drawn(look, pixels)


def _drawn(look: Look, pixels: Pixels) -> bytes:
    if look.combination.id == WEIGHTS.id:
        pixels = read_weights(look.scene.ref(), pixels, pixels=pixels).drawn_over(pixels)
    return render(pixels, look.combination, limits=look.limits(), fmt=look.fmt)


def draw_sheet(*, sheet: Sheet, bounds: Bounds | None, size: int) -> bytes:
    """Draw a part of a scene in every combination, side by side: the bands are read once.

    Args:
        sheet: scene and format.
        bounds: west, south, east, north in EPSG:4326; None for the whole scene.
        size: the longer side of each picture in pixels.

    Raises:
        BadRaster: the file cannot be read.
    """
    looks = [(one, _own_limits(sheet.scene, one)) for one in combinations_for(sheet.scene.bands)]
    bands = tuple(dict.fromkeys(band for combination, _ in looks for band in combination.bands))
    return render_sheet(_read_bounds(sheet.scene, bands, bounds, size), looks, fmt=sheet.fmt)


def _read_bounds(scene: Scene, bands: tuple[str, ...], bounds: Bounds | None, size: int) -> Pixels:
    west, south, east, north = bounds or scene.focus
    south, north = max(south, -MAX_LATITUDE), min(north, MAX_LATITUDE)
    to_map = transformer("EPSG:4326", "EPSG:3857")
    (left, right), (low, high) = to_map.transform([west, east], [south, north])
    return read_box(scene.ref(), bounds=(left, low, right, high), bands=bands, roots=scene_roots(), size=size)


def parse_bounds(text: str) -> Bounds | None:
    """Understand ``w,s,e,n`` in degrees from a URL; empty for the whole scene.

    Raises:
        BadInput: not four finite numbers in range, west of east and south of north.
    """
    if not text:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        west = south = east = north = 0.0
    if not (-180 <= west < east <= 180 and -MAX_LATITUDE <= south < north <= MAX_LATITUDE):
        msg = f"bbox is west,south,east,north in degrees, within 180 and {MAX_LATITUDE}"
        raise BadInput(msg)
    return west, south, east, north


def parse_size(text: str) -> int:
    """Understand the side of a thumbnail from a URL.

    Raises:
        BadInput: not a whole number between 16 and 1024.
    """
    size = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not 16 <= size <= MAX_THUMB:
        msg = f"size is a whole number between 16 and {MAX_THUMB}"
        raise BadInput(msg)
    return size
