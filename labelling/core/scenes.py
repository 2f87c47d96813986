"""What an image says about itself, checked before it is catalogued."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from shapely import MultiPolygon

from labelling.core.acquisition import acquired_from, level_from, sensor_from
from labelling.core.companions import Companions, check_companion, find_companions
from labelling.core.errors import BadGeometry, BadRaster
from labelling.core.geotiff import stamp_of
from labelling.core.grid import footprint_of, ground_pixel
from labelling.core.headers import BandFile, Headers, read_headers, stack_headers
from labelling.core.products import Product, Sun, find_product, find_sun
from labelling.core.radiometry import nodata_for, read_radiometry
from labelling.core.raster import SceneRef, covers_same_ground, open_raster
from labelling.core.remote import is_remote
from labelling.core.scene_mapping import SceneMapping

DTYPES = ("uint8", "uint16", "int16", "float32", "float64")
MAX_STRETCH = 1.5
"""How much longer than wide a pixel may be on the ground; EPSG:4326 reaches it at 48 degrees of latitude."""


@dataclass(frozen=True)
class Said:
    """What is said of an image beside its files.

    Attributes:
        tags: as if they were the file's own, and before them: ``PRODUCT``, ``ACQUIRED_AT``, ``PROCESSING_LEVEL``.
        product: the XML of the product that it comes from.
        item: the STAC item as JSON.
        assets: keys of the item's assets, one per band.
        companions: its scene classification and cloud probability.
        sun: where the sun stood.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    product: Product | None = None
    item: Mapping[str, Any] | None = None
    assets: tuple[str, ...] = ()
    companions: Companions = field(default_factory=Companions)
    sun: Sun | None = None


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
        stated: what metadata say of the quality: ``sun`` (elevation in degrees), and ``product_cloud`` and
            ``product_empty``, shares of the whole product that the scene was cut from.
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
    stated: Mapping[str, float]


def describe_scene(
    dataset: Any, *, path: str | Path, mapping: SceneMapping, said: Said | None = None, roots: tuple[Path, ...] = ()
) -> SceneFacts:
    """Check an open image and put together what is known of it.

    Args:
        dataset: from ``open_raster``.
        path: where it lies.
        mapping: what a person says about it.
        said: what is said beside the file; None: what lies beside it in its folder.
        roots: a companion on this machine must lie below one of these folders; empty for any.

    Raises:
        BadRaster: no CRS, a turned or stretched grid, bands without names, no scale, an impossible time.
    """
    name = Path(path).name
    try:
        headers = read_headers(dataset, place=str(path), tags=said.tags if said else {}, bands=mapping.bands)
        if said is None and not is_remote(str(path)):
            said = _said_beside(Path(path), headers.tags, level=mapping.level or level_from(name, headers.tags))
        return _put_together(headers, mapping, said or Said(), roots)
    except (BadGeometry, ValueError) as error:
        raise BadRaster(str(error), file=name) from error


def describe_stack(
    files: Sequence[BandFile], *, place: str, mapping: SceneMapping, said: Said, roots: tuple[Path, ...] = ()
) -> SceneFacts:
    """Check the files of a scene that has one for each band; the finest of them gives its grid.

    Args:
        files: at least one; all on the same ground.
        place: folder or address that stands for all of them.
        mapping: what a person says about it.
        said: what is said beside the files.
        roots: files of this machine must lie below one of these folders; empty for any.

    Raises:
        BadRaster: a file that cannot be read, holds several bands or covers other ground, and as ``describe_scene``.
    """
    name = Path(place).name
    with ExitStack() as stack:
        opened = [stack.enter_context(open_raster(file.path, roots=roots)) for file in files]
        try:
            facts = _put_together(stack_headers(files, opened, place=place, tags=said.tags), mapping, said, roots)
        except (BadGeometry, ValueError) as error:
            raise BadRaster(str(error), file=name) from error
        for file, dataset in zip(files, opened, strict=True):
            if not covers_same_ground(dataset, facts.ref) or dataset.crs != opened[0].crs:
                msg = f"{file.band} ({Path(file.path).name}) covers other ground than the other bands"
                raise BadRaster(msg, file=name)
    return facts


def _put_together(headers: Headers, mapping: SceneMapping, said: Said, roots: tuple[Path, ...]) -> SceneFacts:
    name, tags, grid = Path(headers.place).name, headers.tags, headers.grid
    radiometry = read_radiometry(
        bands=headers.bands,
        dtype=headers.dtype,
        name=name,
        tags=tags,
        scales=headers.scales,
        offsets=headers.offsets,
        nodata=headers.nodata if mapping.nodata is None else mapping.nodata,
        product=said.product,
        item=said.item,
        assets=said.assets,
        scale=mapping.scale,
        offset=mapping.offset,
        baseline=mapping.baseline,
    )
    if headers.dtype not in DTYPES:
        msg = f"numbers of type {headers.dtype}: write it as uint16 or float32"
        raise ValueError(msg)
    wide, tall = ground_pixel(**grid)
    if max(wide, tall) > MAX_STRETCH * min(wide, tall):
        msg = f"pixels of {wide:.0f} m by {tall:.0f} m: they must be about square, warp it to UTM with gdalwarp"
        raise ValueError(msg)
    since, until = _acquired(name, tags, mapping)
    companions = _companions(headers.place, mapping, said, roots)
    ref = SceneRef(
        path=headers.place,
        crs=grid["crs"],
        transform=tuple(grid["transform"])[:6],
        width=grid["width"],
        height=grid["height"],
        dtype=headers.dtype,
        bands=headers.bands,
        scales=radiometry.scales,
        offsets=radiometry.offsets,
        nodata=nodata_for(headers.dtype, radiometry.nodata),
        files=headers.files,
        scl=companions.scl,
        cloud_probability=companions.cloud_probability,
    )
    return SceneFacts(
        ref=ref,
        pixel_m=round(math.sqrt(wide * tall), 3),
        footprint=footprint_of(**grid),
        has_overviews=headers.has_overviews,
        sensor=mapping.sensor or sensor_from(name, tags),
        level=mapping.level or level_from(name, tags),
        baseline=radiometry.baseline,
        radiometry=radiometry.said_by,
        acquired_at=since,
        acquired_until=until,
        attribution=(mapping.attribution or tags.get("ATTRIBUTION", ""))[:200],
        stated=_stated(said),
    )


def _said_beside(path: Path, tags: Mapping[str, str], *, level: str) -> Said:
    product = find_product(path, tags, level=level)
    return Said(product=product, companions=find_companions(path), sun=find_sun(path) if product else None)


def _companions(place: str, mapping: SceneMapping, said: Said, roots: tuple[Path, ...]) -> Companions:
    """What a person names comes first; its names are relative to the scene."""
    named = {
        name: str(Path(place).parent / value)
        for name in ("scl", "cloud_probability")
        if (value := getattr(mapping, name))
    }
    found = replace(said.companions, **named)
    for one in filter(None, (found.scl, found.cloud_probability)):
        check_companion(one, roots=roots)
    return found


def _stated(said: Said) -> dict[str, float]:
    properties = said.item.get("properties", {}) if said.item else {}
    product, sun = said.product, said.sun
    found = {
        "sun": sun.elevation if sun else properties.get("view:sun_elevation"),
        "product_cloud": product.cloud if product else _hundredth(properties.get("eo:cloud_cover")),
        "product_empty": product.empty if product else _hundredth(properties.get("s2:nodata_pixel_percentage")),
    }
    return {key: round(float(value), 4) for key, value in found.items() if isinstance(value, int | float)}


def _hundredth(percent: Any) -> Any:
    return percent / 100 if isinstance(percent, int | float) else None


def _acquired(name: str, tags: Mapping[str, str], mapping: SceneMapping) -> tuple[datetime | None, datetime | None]:
    since, until = acquired_from(name, tags)
    since, until = mapping.acquired_at or since, mapping.acquired_until or until
    if since and until and until < since:
        msg = f"acquired until {until:%Y-%m-%d}, before it began on {since:%Y-%m-%d}"
        raise ValueError(msg)
    return since, until


def fingerprint_of(facts: SceneFacts, *, more: Sequence[Any] = ()) -> str:
    """Name the version of a scene: it changes with its files (size, time, header) and with what is said of it.

    Args:
        facts: what is known of it.
        more: whatever else is catalogued with it.

    Returns:
        16 hexadecimal digits.

    Raises:
        BadRaster: a file cannot be read.
    """
    said = asdict(facts) | {"footprint": facts.footprint.wkt, "more": list(more)}
    digest = hashlib.sha256()
    for file in facts.ref.files or (facts.ref.path,):
        stamp, head = stamp_of(file)
        digest.update(head)
        digest.update(stamp.encode())
    digest.update(json.dumps(said, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]
