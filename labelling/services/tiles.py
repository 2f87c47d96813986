"""Tiles and thumbnails of scenes and mosaics: which, of which version, drawn how, and kept for the next who asks."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.gis.geos import Polygon

from labelling.core.errors import BadInput, NotFound
from labelling.core.grid import TileAddress
from labelling.core.masks import METHOD as MASKS
from labelling.core.masks import mask_bands, read_weights
from labelling.core.mosaic import lay_over
from labelling.core.raster import Pixels, SceneRef, transformer
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
from labelling.services.mosaics import OldVersion, SceneMosaic, find_mosaic
from labelling.services.scenes import scene_roots
from labelling.services.tile_cache import cached_tile, keep_tile

RENDERER = f"2.{MASKS}"
"""To be raised whenever the same scene and address are drawn differently than before."""
MAX_THUMB = 1024
MAX_LATITUDE = 85.05
Reader = Callable[[SceneRef, tuple[str, ...]], Pixels]
"""Reads bands of a scene at the place of an address."""


@dataclass(frozen=True)
class Look:
    """How a scene or mosaic is asked to be drawn: everything of the address but the place.

    Attributes:
        mosaic: the scenes, of the version that the address names.
        combination: which bands.
        stretch: one pair of limits for all bands, or None for those of the scene in front.
        fmt: ``png``, ``webp`` or ``jpg``.
    """

    mosaic: SceneMosaic
    combination: Combination
    stretch: Limits | None
    fmt: str

    @property
    def content_type(self) -> str:
        """The media type of the image."""
        return FORMATS[self.fmt]

    def etag(self, *place: object) -> str:
        """A name, in quotes, that changes whenever the image would."""
        return etag_of(self.mosaic.key, self.mosaic.version, self.combination.id, self.stretch, self.fmt, *place)

    def limits(self) -> tuple[Limits, ...]:
        """Darkest and brightest of each band, or of the index."""
        return (self.stretch,) if self.stretch else _own_limits(self.mosaic.front, self.combination)


@dataclass(frozen=True)
class Sheet:
    """A scene or mosaic in every combination that its bands allow, side by side.

    Attributes:
        mosaic: the scenes, of the version that the address names.
        fmt: ``png``, ``webp`` or ``jpg``.
    """

    mosaic: SceneMosaic
    fmt: str

    @property
    def content_type(self) -> str:
        """The media type of the image."""
        return FORMATS[self.fmt]

    def etag(self, *place: object) -> str:
        """A name, in quotes, that changes whenever the image would."""
        return etag_of("sheet", self.mosaic.key, self.mosaic.version, self.fmt, *place)


def etag_of(*said: object) -> str:
    """A name, in quotes, for all that decides how an image looks."""
    return f'"{hashlib.sha256(json.dumps([RENDERER, *said]).encode()).hexdigest()[:24]}"'


def _own_limits(scene: Scene, combination: Combination) -> tuple[Limits, ...]:
    ref = scene.ref()
    places = [index - 1 for index in ref.indexes(combination.bands)]
    scales, offsets = ([values[place] for place in places] for values in (ref.scales, ref.offsets))
    return limits_of(combination, display=scene.display, scales=scales, offsets=offsets)


def find_look(*, scenes: str, version: str, combination: str, stretch: str, fmt: str) -> Look:
    """Understand the address of a tile or thumbnail.

    Args:
        scenes: number of the scene, or those of a mosaic, such as ``12-7``.
        version: of the scene or mosaic.
        combination: id of a combination, one or three bands with commas between, or ``weights``.
        stretch: ``lo,hi`` in reflectance (of an index: in its values), or empty for the scene's own.
        fmt: ``png``, ``webp`` or ``jpg``.

    Raises:
        NotFound: there is no such scene.
        OldVersion: the scene has another version now.
        BadInput: an unknown combination or format, or a stretch that is none.
    """
    limits = parse_stretch(stretch)
    mosaic = _find_version(scenes, version, fmt)
    if combination == WEIGHTS.id:
        return Look(mosaic, WEIGHTS, limits, fmt)
    return Look(mosaic, find_combination(combination, mosaic.bands), limits, fmt)


def find_sheet(*, scenes: str, version: str, fmt: str) -> Sheet:
    """Understand the address of a sheet of small pictures.

    Args:
        scenes: number of the scene, or those of a mosaic, such as ``12-7``.
        version: of the scene or mosaic.
        fmt: ``png``, ``webp`` or ``jpg``.

    Raises:
        NotFound: there is no such scene.
        OldVersion: the scene has another version now.
        BadInput: an unknown format.
    """
    return Sheet(_find_version(scenes, version, fmt), fmt)


def _find_version(scenes: str, version: str, fmt: str) -> SceneMosaic:
    if fmt not in FORMATS:
        msg = f"no such format; there are {', '.join(FORMATS)}"
        raise BadInput(msg)
    mosaic = find_mosaic(key=scenes)
    if mosaic.version != version:
        raise OldVersion(mosaic.version)
    return mosaic


def draw_tile(*, look: Look, tile: TileAddress) -> bytes:
    """Draw a map tile, or take the one that was drawn before.

    Args:
        look: scenes, bands, stretch, format.
        tile: its place.

    Returns:
        The encoded image, transparent (JPEG: black) where the scene has nothing.

    Raises:
        NotFound: the tile lies outside the footprint of the scene.
        BadRaster: the file cannot be read.
    """
    place = Polygon.from_bbox(tile.bounds())
    if not any(scene.footprint.intersects(place) for scene in look.mosaic.scenes):
        msg = "the scene has nothing there"
        raise NotFound(msg)
    key = look.etag(tile.z, tile.x, tile.y).strip('"')
    kept = cached_tile(key=key)
    if kept is not None:
        return kept
    roots = scene_roots()
    pixels = _laid(look, lambda ref, bands: read_tile(ref, tile=tile, bands=bands, roots=roots))
    if not pixels.mask.any():
        return empty_tile(look.fmt)
    image = render(pixels, look.combination, limits=look.limits(), fmt=look.fmt)
    keep_tile(key=key, image=image)
    return image


def draw_thumb(*, look: Look, bounds: Bounds | None, size: int) -> bytes:
    """Draw a small picture of a scene or of a part of it.

    Args:
        look: scenes, bands, stretch, format.
        bounds: west, south, east, north in EPSG:4326; None for the whole scene.
        size: the longer side in pixels.

    Raises:
        BadRaster: the file cannot be read.
    """
    read = _reader(look.mosaic, bounds, size)
    return render(_laid(look, read), look.combination, limits=look.limits(), fmt=look.fmt)


def _laid(look: Look, read: Reader) -> Pixels:
    """Read what is looked at, of several scenes each where those before it end."""
    if look.combination.id == WEIGHTS.id:
        return _over(look.mosaic, lambda ref: _weights_of(ref, read(ref, mask_bands(ref))))
    return _over(look.mosaic, lambda ref: read(ref, look.combination.bands))


def _weights_of(ref: SceneRef, pixels: Pixels) -> Pixels:
    return read_weights(ref, pixels, pixels=pixels).drawn_over(pixels)


def _over(mosaic: SceneMosaic, read: Callable[[SceneRef], Pixels]) -> Pixels:
    if len(mosaic.scenes) == 1:
        return read(mosaic.front.ref())
    return lay_over(read(scene.ref()) for scene in mosaic.scenes)


def draw_sheet(*, sheet: Sheet, bounds: Bounds | None, size: int) -> bytes:
    """Draw a part of a scene in every combination, side by side: the bands are read once.

    Args:
        sheet: scenes and format.
        bounds: west, south, east, north in EPSG:4326; None for the whole scene.
        size: the longer side of each picture in pixels.

    Raises:
        BadRaster: the file cannot be read.
    """
    mosaic = sheet.mosaic
    looks = [(one, _own_limits(mosaic.front, one)) for one in combinations_for(mosaic.bands)]
    bands = tuple(dict.fromkeys(band for combination, _ in looks for band in combination.bands))
    read = _reader(mosaic, bounds, size)
    return render_sheet(_over(mosaic, lambda ref: read(ref, bands)), looks, fmt=sheet.fmt)


def _reader(mosaic: SceneMosaic, bounds: Bounds | None, size: int) -> Reader:
    west, south, east, north = bounds or mosaic.front.focus
    south, north = max(south, -MAX_LATITUDE), min(north, MAX_LATITUDE)
    to_map = transformer("EPSG:4326", "EPSG:3857")
    (left, right), (low, high) = to_map.transform([west, east], [south, north])
    box, roots = (left, low, right, high), scene_roots()
    return lambda ref, bands: read_box(ref, bounds=box, bands=bands, roots=roots, size=size)


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
