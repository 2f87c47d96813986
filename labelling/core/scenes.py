"""What an image file says about itself, checked before it is catalogued."""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from affine import Affine
from rasterio.enums import ColorInterp
from shapely import MultiPolygon

from labelling.core.acquisition import acquired_from, level_from, moment, sensor_from
from labelling.core.errors import BadGeometry, BadInput, BadRaster
from labelling.core.grid import footprint_of, ground_pixel
from labelling.core.products import find_product
from labelling.core.radiometry import Radiometry, nodata_for, read_radiometry
from labelling.core.raster import SceneRef

DTYPES = ("uint8", "uint16", "int16", "float32", "float64")
MAX_STRETCH = 1.5
"""How much longer than wide a pixel may be on the ground; EPSG:4326 reaches it at 48 degrees of latitude."""
_BAND_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,19}")
_SENTINEL = re.compile(r"B?0?(1[0-2]|[1-9]|8A)", re.IGNORECASE)
_COMMON_NAMES = {
    "coastal": "B01",
    "blue": "B02",
    "green": "B03",
    "red": "B04",
    "nir": "B08",
    "nir08": "B8A",
    "swir16": "B11",
    "swir22": "B12",
}


@dataclass(frozen=True)
class SceneMapping:
    """What a person says about files that do not say it themselves; None where the file is to speak.

    Attributes:
        bands: band names in the order of the file.
        scale, offset: reflectance = digital number * scale + offset.
        baseline: processing baseline of Sentinel-2, such as ``04.00``, which stands for scale and offset.
        nodata: digital number that means "no data".
        acquired_at, acquired_until: time of a single scene, or first and last of a composite.
        sensor, level, attribution: as in the catalogue.
    """

    bands: tuple[str, ...] | None = None
    scale: float | None = None
    offset: float | None = None
    baseline: str | None = None
    nodata: float | None = None
    acquired_at: datetime | None = None
    acquired_until: datetime | None = None
    sensor: str | None = None
    level: str | None = None
    attribution: str | None = None

    @classmethod
    def from_json(cls, said: Any, *, file: str) -> "SceneMapping":
        """Read a mapping such as ``{"bands": ["B02", "B03"], "scale": 0.0001, "offset": -0.1}``.

        Args:
            said: what was in the JSON.
            file: its name, for the error.

        Raises:
            BadInput: not an object, an unknown key, or a value of the wrong kind.
        """
        known = [field.name for field in fields(cls)]
        if not isinstance(said, dict) or not set(said) <= set(known):
            msg = f"the mapping is a JSON object with some of the keys {', '.join(known)}"
            raise BadInput(msg, file=file)
        try:
            return cls(**{key: _VALUES[key](value) for key, value in said.items() if value is not None})
        except (TypeError, ValueError) as error:
            msg = f"the mapping cannot be understood: {error}"
            raise BadInput(msg, file=file) from error

    def over(self, other: "SceneMapping") -> "SceneMapping":
        """This mapping, and what the other one says where this one is silent."""
        return replace(other, **{key: value for key, value in self.__dict__.items() if value is not None})


def read_mapping(path: Path) -> SceneMapping:
    """Read a mapping from a JSON file.

    Raises:
        BadInput: the file is not JSON, or not a mapping.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        msg = f"the mapping is not a JSON file in UTF-8: {error}"
        raise BadInput(msg, file=path.name) from error
    return SceneMapping.from_json(said, file=path.name)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        msg = f"{value!r} is not a finite number"
        raise ValueError(msg)
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        msg = f"{value!r} is not a text"
        raise TypeError(msg)
    return value.strip()


def _names(value: Any) -> tuple[str, ...]:
    parts = re.split(r"[,\s]+", value.strip()) if isinstance(value, str) else value
    return tuple(band_name(_text(part)) for part in parts)


_VALUES: dict[str, Any] = {
    "bands": _names,
    "scale": _number,
    "offset": _number,
    "baseline": _text,
    "nodata": _number,
    "acquired_at": lambda value: moment(_text(value)),
    "acquired_until": lambda value: moment(_text(value)),
    "sensor": _text,
    "level": _text,
    "attribution": _text,
}


def band_name(text: str) -> str:
    """Write a band's name as Sentinel-2 does: ``B2``, ``b02`` and ``blue`` are B02; other names stay.

    Raises:
        ValueError: not a name.
    """
    plain = text.strip()
    number = _SENTINEL.fullmatch(plain)
    if number:
        return f"B{number[1].upper().zfill(2)}"
    if not _BAND_NAME.fullmatch(plain):
        msg = f"{plain[:40]!r} is not a band name: a letter, then up to 19 letters, digits, _ . -"
        raise ValueError(msg)
    return _COMMON_NAMES.get(plain.lower(), plain)


@dataclass(frozen=True)
class SceneFacts:
    """What is known of a scene from its header and its mapping.

    Attributes:
        ref: path, grid, bands, scales.
        pixel_m: ground size of a pixel at the centre, metres.
        footprint: outline in EPSG:4326.
        has_overviews: smaller copies for low zooms are in the file.
        baseline: processing baseline of Sentinel-2; empty where nothing says it.
        radiometry: who says how numbers become reflectance, in words.
    """

    ref: SceneRef
    pixel_m: float
    footprint: MultiPolygon
    has_overviews: bool
    sensor: str
    level: str
    baseline: str
    radiometry: str
    acquired_at: datetime | None
    acquired_until: datetime | None
    attribution: str


def describe_scene(dataset: Any, *, path: Path, mapping: SceneMapping) -> SceneFacts:
    """Check an open image and put together what is known of it.

    Args:
        dataset: from ``open_raster``.
        path: where it lies.
        mapping: what a person says about it.

    Raises:
        BadRaster: no CRS, a turned or stretched grid, bands without names, no scale, an impossible time.
    """
    try:
        return _described(dataset, path, mapping)
    except (BadGeometry, ValueError) as error:
        raise BadRaster(str(error), file=path.name) from error


def _described(dataset: Any, path: Path, mapping: SceneMapping) -> SceneFacts:
    tags = dataset.tags()
    grid = _checked_grid(dataset)
    bands = _bands_of(dataset, tags, mapping)
    level = mapping.level or level_from(path.name, tags)
    radiometry = _radiometry_of(dataset, path=path, tags=tags, mapping=mapping, bands=bands, level=level)
    if dataset.dtypes[0] not in DTYPES:
        msg = f"numbers of type {dataset.dtypes[0]}: write it as uint16 or float32"
        raise ValueError(msg)
    wide, tall = ground_pixel(**grid)
    if max(wide, tall) > MAX_STRETCH * min(wide, tall):
        msg = f"pixels of {wide:.0f} m by {tall:.0f} m: they must be about square, warp it to UTM with gdalwarp"
        raise ValueError(msg)
    since, until = acquired_from(path.name, tags)
    since, until = mapping.acquired_at or since, mapping.acquired_until or until
    if since and until and until < since:
        msg = f"acquired until {until:%Y-%m-%d}, before it began on {since:%Y-%m-%d}"
        raise ValueError(msg)
    ref = SceneRef(
        path=str(path),
        crs=grid["crs"],
        transform=tuple(dataset.transform)[:6],
        width=dataset.width,
        height=dataset.height,
        dtype=dataset.dtypes[0],
        bands=bands,
        scales=radiometry.scales,
        offsets=radiometry.offsets,
        nodata=nodata_for(dataset.dtypes[0], radiometry.nodata),
    )
    return SceneFacts(
        ref=ref,
        pixel_m=round(math.sqrt(wide * tall), 3),
        footprint=footprint_of(**grid),
        has_overviews=bool(dataset.overviews(1)),
        sensor=mapping.sensor or sensor_from(path.name, tags),
        level=level,
        baseline=radiometry.baseline,
        radiometry=radiometry.said_by,
        acquired_at=since,
        acquired_until=until,
        attribution=(mapping.attribution or tags.get("ATTRIBUTION", ""))[:200],
    )


def _checked_grid(dataset: Any) -> dict[str, Any]:
    if dataset.crs is None:
        msg = "has no CRS: say where it lies with gdal_edit.py -a_srs EPSG:n"
        raise ValueError(msg)
    transform: Affine = dataset.transform
    if transform.is_identity:
        msg = "has no transform from pixels to the ground"
        raise ValueError(msg)
    if transform.b or transform.d or transform.a <= 0 or transform.e >= 0:
        msg = "its grid is turned or mirrored: north must be up, warp it with gdalwarp"
        raise ValueError(msg)
    if not all(math.isfinite(number) for number in transform[:6]):
        msg = "its transform is not finite"
        raise ValueError(msg)
    code = dataset.crs.to_epsg()
    crs = f"EPSG:{code}" if code else dataset.crs.to_wkt()
    return {"crs": crs, "transform": transform, "width": dataset.width, "height": dataset.height}


def _bands_of(dataset: Any, tags: Mapping[str, str], mapping: SceneMapping) -> tuple[str, ...]:
    alphas = [place for place, meaning in enumerate(dataset.colorinterp) if meaning == ColorInterp.alpha]
    count = dataset.count - len(alphas)
    if alphas not in ([], [count]):
        msg = "its alpha band must be the last one"
        raise ValueError(msg)
    names = mapping.bands or (_names(tags["BANDS"]) if tags.get("BANDS") else None)
    if names is None:
        described = dataset.descriptions[:count]
        if not all(described):
            msg = f'its {count} bands have no names: give them with --mapping, such as {{"bands": ["B02", ...]}}'
            raise ValueError(msg)
        names = _names(described)
    if len(names) != count:
        msg = f"it has {count} bands, but {len(names)} are named: {', '.join(names)}"
        raise ValueError(msg)
    if len(set(names)) != count:
        msg = f"two bands have the same name: {', '.join(names)}"
        raise ValueError(msg)
    return names


def _radiometry_of(
    dataset: Any, *, path: Path, tags: Mapping[str, str], mapping: SceneMapping, bands: tuple[str, ...], level: str
) -> Radiometry:
    return read_radiometry(
        bands=bands,
        dtype=dataset.dtypes[0],
        name=path.name,
        tags=tags,
        scales=dataset.scales[: len(bands)],
        offsets=dataset.offsets[: len(bands)],
        nodata=dataset.nodata if mapping.nodata is None else mapping.nodata,
        product=find_product(path, tags, level=level),
        scale=mapping.scale,
        offset=mapping.offset,
        baseline=mapping.baseline,
    )


def fingerprint_of(path: Path, facts: SceneFacts, *, more: Sequence[Any] = ()) -> str:
    """Name the version of a scene: it changes with the file (size, time, header) and with what is said of it.

    Args:
        path: the file. It is not read whole: a catalogue may hold terabytes.
        facts: what is known of it.
        more: whatever else is catalogued with it.

    Returns:
        16 hexadecimal digits.
    """
    stat = path.stat()
    with path.open("rb") as file:
        head = file.read(1 << 16)
    said = asdict(facts) | {"footprint": facts.footprint.wkt, "more": list(more)}
    digest = hashlib.sha256(head)
    digest.update(f"{stat.st_size} {stat.st_mtime_ns} {json.dumps(said, sort_keys=True, default=str)}".encode())
    return digest.hexdigest()[:16]
