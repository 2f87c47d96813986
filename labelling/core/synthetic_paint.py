"""How the invented places look from above: spectra, textures, clouds."""

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from PIL import Image
from rasterio.enums import Resampling
from rasterio.features import rasterize
from shapely.geometry import LineString, Point, Polygon

import labelling.core.gdal  # noqa: F401  # before rasterio, so that its drivers are the few we want
from labelling.core.blobs import atomic_path
from labelling.core.raster import Pixels
from labelling.core.synthetic import ATTRIBUTION, BANDS, CRS, PIXEL_M, Place, Thing, river_of

DRY_MONTHS = (5, 6, 7, 8, 9)

# Reflectance in the order of BANDS.
SPECTRA: dict[str, tuple[float, ...]] = {
    "moist forest": (0.02, 0.03, 0.05, 0.03, 0.08, 0.22, 0.28, 0.30, 0.31, 0.31, 0.14, 0.06),
    "clearing": (0.04, 0.05, 0.08, 0.07, 0.12, 0.24, 0.28, 0.30, 0.31, 0.31, 0.22, 0.12),
    "dry savanna": (0.05, 0.07, 0.10, 0.12, 0.16, 0.21, 0.23, 0.25, 0.27, 0.28, 0.30, 0.20),
    "dry grass": (0.07, 0.09, 0.13, 0.17, 0.20, 0.24, 0.26, 0.28, 0.30, 0.31, 0.36, 0.27),
    "bare field": (0.08, 0.10, 0.14, 0.19, 0.22, 0.24, 0.26, 0.28, 0.30, 0.31, 0.37, 0.31),
    "sand": (0.15, 0.18, 0.23, 0.28, 0.30, 0.31, 0.33, 0.34, 0.35, 0.35, 0.40, 0.36),
    "clear water": (0.05, 0.05, 0.045, 0.03, 0.02, 0.015, 0.012, 0.010, 0.010, 0.010, 0.005, 0.003),
    "river": (0.07, 0.08, 0.10, 0.09, 0.07, 0.04, 0.035, 0.03, 0.03, 0.03, 0.010, 0.008),
    "town": (0.12, 0.14, 0.16, 0.17, 0.18, 0.19, 0.20, 0.21, 0.22, 0.22, 0.25, 0.23),
    "track": (0.12, 0.14, 0.19, 0.24, 0.26, 0.27, 0.28, 0.29, 0.30, 0.30, 0.36, 0.32),
    "tailings": (0.16, 0.20, 0.25, 0.29, 0.30, 0.31, 0.31, 0.31, 0.31, 0.30, 0.25, 0.19),
    "pit wall": (0.07, 0.09, 0.11, 0.15, 0.16, 0.17, 0.175, 0.18, 0.185, 0.19, 0.27, 0.25),
    "pit floor": (0.05, 0.06, 0.075, 0.09, 0.095, 0.10, 0.105, 0.11, 0.11, 0.11, 0.15, 0.14),
    "waste rock": (0.09, 0.105, 0.13, 0.165, 0.18, 0.19, 0.20, 0.21, 0.22, 0.22, 0.31, 0.29),
    "leach ore": (0.17, 0.20, 0.25, 0.31, 0.33, 0.34, 0.35, 0.36, 0.37, 0.36, 0.47, 0.26),
    "process water": (0.11, 0.15, 0.20, 0.13, 0.07, 0.05, 0.04, 0.03, 0.03, 0.03, 0.010, 0.008),
    "diggings": (0.13, 0.16, 0.21, 0.27, 0.29, 0.30, 0.31, 0.32, 0.33, 0.33, 0.41, 0.38),
    "cloud": (0.62, 0.64, 0.63, 0.64, 0.65, 0.66, 0.67, 0.67, 0.67, 0.55, 0.42, 0.33),
}


def paint_place(place: Place, date: datetime, *, clouds: bool = True) -> Pixels:
    """See a place on a date.

    Args:
        place: the ground.
        date: decides season, light, and where the clouds are.
        clouds: whether there may be clouds and their shadows.

    Returns:
        Pixels of 12 bands, uint16 digital numbers = reflectance * 10 000, shape (12, side, side), EPSG:32727.
    """
    rng = np.random.default_rng((place.seed, int(date.timestamp())))
    still = np.random.default_rng((place.seed, 3))  # what does not change from date to date
    patches = np.clip((_noise(still, place.side, 22) - 0.62) * 9, 0, 1)
    cover = (0.45 * _noise(still, place.side, 9) + 0.55 * patches)[None]
    first, second = (_spectrum(name) for name in place.biome.ground)
    image = first * (1 - cover) + second * cover
    image *= 1 + 0.10 * (_noise(still, place.side, 90)[None] - 0.5) + 0.16 * (_noise(still, place.side, 30)[None] - 0.5)
    image = _water_and_tracks(image, place, still)
    for thing in place.things:
        _paint_thing(image, place, thing, still)
    image = _blurred(image)
    image *= 1 + 0.02 * rng.standard_normal((1, place.side, place.side)) + rng.uniform(-0.06, 0.06)
    image += 0.004 * rng.standard_normal(image.shape)
    if clouds and rng.random() < (0.35 if date.month in DRY_MONTHS else 0.75):
        image = _clouds(image, place.side, rng)
    numbers = np.clip(np.rint(image * 10_000), 1, 20_000).astype(np.uint16)
    mask = np.ones((place.side, place.side), np.bool_)
    return Pixels(numbers, mask, CRS, place.transform, BANDS, (1e-4,) * len(BANDS), (0.0,) * len(BANDS))


def _spectrum(name: str) -> NDArray[np.float32]:
    return np.asarray(SPECTRA[name], np.float32)[:, None, None]


def _noise(rng: np.random.Generator, side: int, cells: int) -> NDArray[np.float32]:
    """Smooth noise between 0 and 1, shape (side, side), with features of side / cells pixels."""
    total = np.zeros((side, side), np.float32)
    for octave, weight in ((1, 0.6), (2, 0.28), (4, 0.12)):
        grid = rng.random((cells * octave + 1, cells * octave + 1), np.float32)
        total += weight * np.asarray(Image.fromarray(grid).resize((side, side), Image.Resampling.BICUBIC))
    low, high = np.percentile(total, (1, 99))
    return np.asarray(np.clip((total - low) / (high - low), 0, 1), np.float32)


def _blurred(image: NDArray[Any]) -> NDArray[Any]:
    """What the optics do: each pixel sees a little of its neighbours."""
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = 0.25 * padded[:, :-2] + 0.5 * padded[:, 1:-1] + 0.25 * padded[:, 2:]
    return np.asarray(0.25 * rows[:, :, :-2] + 0.5 * rows[:, :, 1:-1] + 0.25 * rows[:, :, 2:])


def _burn(place: Place, shape: Any) -> NDArray[np.bool_]:
    grid = rasterize([(shape, 1)], (place.side, place.side), transform=place.transform, dtype=np.uint8)
    return np.asarray(grid, np.bool_)


def _water_and_tracks(image: NDArray[Any], place: Place, rng: np.random.Generator) -> NDArray[Any]:
    river = river_of(place)
    image = np.where(_burn(place, river.buffer(45)), _spectrum("river"), image)
    centres = [thing.outline.centroid for thing in place.mines]
    for index, start in enumerate(centres[1:], start=1):
        end = min(centres[:index], key=start.distance)
        bend = Point((start.x + end.x) / 2 + rng.uniform(-150, 150), (start.y + end.y) / 2 + rng.uniform(-150, 150))
        track = _burn(place, LineString([start, bend, end]).buffer(7))
        image = np.where(track, _spectrum("track"), image)
    return np.asarray(image)


def _tinted(name: str, place: Place) -> NDArray[np.float32]:
    visible, swir = place.biome.tint
    factor = np.asarray([visible] * 10 + [swir] * 2, np.float32)[:, None, None]
    return np.asarray(_spectrum(name) * factor, np.float32)


def _paint_thing(image: NDArray[Any], place: Place, thing: Thing, rng: np.random.Generator) -> None:
    inside = _burn(place, thing.outline)
    texture = 1 + 0.22 * (_noise(rng, place.side, 120)[None] - 0.5)
    surface = _PAINTERS[thing.kind](place, thing, rng) * texture
    image[:, inside] = surface[:, inside]


def _depth(place: Place, outline: Polygon, steps: int) -> NDArray[np.float32]:
    """How deep inside an outline each pixel lies, 0 at the edge to 1 in the middle, in steps."""
    deepest = np.sqrt(outline.area / np.pi)
    shrunk = (outline.buffer(-deepest * step / steps) for step in range(steps))
    layers = [_burn(place, smaller) for smaller in shrunk if not smaller.is_empty]
    return np.asarray(np.sum(layers, axis=0, dtype=np.float32) / steps, np.float32)


def _paint_pit(place: Place, thing: Thing, _rng: np.random.Generator) -> NDArray[Any]:
    depth = _depth(place, thing.outline, 7)[None]
    benches = 1 + 0.18 * np.cos(depth * 7 * np.pi)
    return np.asarray((_tinted("pit wall", place) * (1 - depth) + _tinted("pit floor", place) * depth) * benches)


def _paint_tailings(place: Place, thing: Thing, rng: np.random.Generator) -> NDArray[Any]:
    reach = np.sqrt(thing.outline.area) * 0.3
    x, y = thing.outline.representative_point().coords[0]
    wet = _burn(place, Point(x + rng.uniform(-1, 1) * reach, y + rng.uniform(-1, 1) * reach).buffer(reach * 0.7))
    edge = ~_burn(place, thing.outline.buffer(-25))
    surface = np.where(wet[None], _tinted("process water", place) * 0.9 + 0.02, _tinted("tailings", place))
    return np.where(edge[None], _tinted("waste rock", place) * 1.1, surface)


def _paint_dump(place: Place, thing: Thing, _rng: np.random.Generator) -> NDArray[Any]:
    x, y = thing.outline.centroid.coords[0]
    columns, rows = np.meshgrid(np.arange(place.side), np.arange(place.side))
    angle = np.arctan2(rows - (place.transform.f - y) / PIXEL_M, columns - (x - place.transform.c) / PIXEL_M)
    depth = _depth(place, thing.outline, 3)[None]
    return np.asarray(_tinted("waste rock", place) * (0.85 + 0.25 * depth + 0.08 * np.sin(angle * 14)[None]))


def _paint_pad(place: Place, thing: Thing, _rng: np.random.Generator) -> NDArray[Any]:
    rectangle = shapely.get_coordinates(thing.outline.minimum_rotated_rectangle)
    sides = np.diff(rectangle[:3], axis=0)
    along = sides[np.argmax(np.hypot(*sides.T))]
    columns, rows = np.meshgrid(np.arange(place.side) * PIXEL_M, -np.arange(place.side) * PIXEL_M)
    distance = (columns * along[0] + rows * along[1]) / np.hypot(*along)
    lifts = 1 + 0.16 * np.sign(np.sin(distance / 90 * 2 * np.pi))
    return np.asarray(_tinted("leach ore", place) * lifts[None])


def _paint_diggings(place: Place, thing: Thing, rng: np.random.Generator) -> NDArray[Any]:
    pools = _noise(rng, place.side, 110)[None] > 0.62
    return np.where(pools, _tinted("process water", place) * 0.8 + 0.03, _tinted("diggings", place))


def _paint_field(place: Place, thing: Thing, rng: np.random.Generator) -> NDArray[Any]:
    columns, rows = np.meshgrid(np.arange(place.side), np.arange(place.side))
    furrows = 1 + 0.05 * np.sin((columns * rng.uniform(-1, 1) + rows) * 1.4)
    return np.asarray(_tinted("bare field", place) * furrows[None])


def _paint_town(place: Place, thing: Thing, rng: np.random.Generator) -> NDArray[Any]:
    roofs = rng.random((place.side, place.side))[None]
    columns, rows = np.meshgrid(np.arange(place.side), np.arange(place.side))
    streets = ((columns % 9 == 0) | (rows % 11 == 0))[None]
    green = (roofs < 0.35) & ~streets
    return np.where(green, _spectrum(place.biome.ground[0]), _spectrum("town") * (0.6 + 0.9 * roofs))


_PAINTERS: dict[str, Any] = {
    "open_pit": _paint_pit,
    "tailings_storage_facility": _paint_tailings,
    "waste_rock_dump": _paint_dump,
    "heap_leach_pad": _paint_pad,
    "pond": lambda place, thing, rng: _tinted("process water", place),
    "artisanal_diggings": _paint_diggings,
    "bare field": _paint_field,
    "natural pond": lambda place, thing, rng: _spectrum("clear water"),
    "riverbank": lambda place, thing, rng: _spectrum("sand"),
    "town": _paint_town,
}


def _clouds(image: NDArray[Any], side: int, rng: np.random.Generator) -> NDArray[Any]:
    density = np.clip((_noise(rng, side, 5) - rng.uniform(0.68, 0.82)) * 6, 0, 1)[None]
    down, right = int(side * 0.05), int(side * 0.04)
    shadow = np.pad(density, ((0, 0), (down, 0), (right, 0)))[:, :side, :side]
    shaded = image * (1 - 0.55 * shadow)
    return np.asarray(shaded * (1 - density) + _spectrum("cloud") * density)


def write_place(place: Place, date: datetime, path: Path) -> Path:
    """Write what a place looks like on a date as a cloud-optimised GeoTIFF.

    Args:
        place: the ground.
        date: when it is seen.
        path: the file to write; it appears whole or not at all.

    Returns:
        The path. The file has 12 named bands, uint16, scale 0.0001, and says in its tags that it is synthetic.
    """
    pixels = paint_place(place, date)
    profile = {
        "driver": "GTiff",
        "dtype": "uint16",
        "count": len(BANDS),
        "height": pixels.height,
        "width": pixels.width,
        "crs": CRS,
        "transform": pixels.transform,
        "nodata": 0,
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
        "compress": "deflate",
        "predictor": 2,
        "zlevel": 1,
        "photometric": "MINISBLACK",
    }
    with atomic_path(path) as temporary:
        with rasterio.open(temporary, "w", **profile) as file:
            file.write(pixels.data)
            file.descriptions = BANDS
            file.scales, file.offsets = pixels.scales, pixels.offsets
            file.update_tags(
                ATTRIBUTION=ATTRIBUTION, SYNTHETIC="yes", TIFFTAG_DATETIME=date.strftime("%Y:%m:%d %H:%M:%S")
            )
        with rasterio.open(temporary, "r+", driver="GTiff") as file:
            file.build_overviews([2, 4], Resampling.average)
    return path
