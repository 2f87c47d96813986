"""What a STAC item says of its scene: which of its assets are bands, and the rest as a file's tags would."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from labelling.core.companions import Companions
from labelling.core.errors import BadRaster
from labelling.core.headers import BandFile
from labelling.core.remote import is_remote
from labelling.core.scene_mapping import SceneMapping, band_name
from labelling.core.scenes import Said

MAX_ASSETS = 200
_IMAGES = (".tif", ".tiff", ".jp2")
_KEPT = ("href", "type", "roles", "eo:bands", "bands", "raster:bands", "raster:scale", "raster:offset")
# Derived from the bands, or drawn.
_QUALITY = ("SCL", "AOT", "WVP", "CLD", "CLOUD", "CLDPRB", "SNW", "SNOW", "SNWPRB")
_PICTURES = ("TCI", "PVI", "VISUAL", "OVERVIEW", "THUMBNAIL", "PREVIEW", "RENDERED_PREVIEW")
_NOT_BANDS = frozenset((*_QUALITY, *_PICTURES))
_SCL = ("scl", "SCL")
_CLOUD = ("cloud", "cld", "CLD", "CLDPRB", "cldprb")


@dataclass(frozen=True)
class ItemFiles:
    """The images of an item.

    Attributes:
        files: of each band; one for all of them where ``names`` is not empty.
        names: of the bands of that one file.
        said: what the item says beside the files.
    """

    files: tuple[BandFile, ...]
    names: tuple[str, ...]
    said: Said

    def mapping(self, mapping: SceneMapping) -> SceneMapping:
        """A person's mapping, with the names of the bands where the person is silent."""
        return replace(mapping, bands=mapping.bands or self.names)


def trim_item(item: Mapping[str, Any], *, link: str) -> dict[str, Any]:
    """Keep of an item what a scene is made from, with whole addresses.

    Args:
        item: as JSON.
        link: where it lies: its address or path.

    Raises:
        BadRaster: not an item.
    """
    assets, properties = item.get("assets"), item.get("properties")
    if not isinstance(assets, dict) or not isinstance(properties, dict) or not isinstance(item.get("id"), str):
        msg = "the catalogue holds what is not a STAC item"
        raise BadRaster(msg, file=Path(link).name)
    plain = {key: value for key, value in properties.items() if isinstance(value, str | int | float | bool)}
    return {
        "id": item["id"][:200],
        "properties": dict(list(plain.items())[:100]),
        "assets": {
            key: {name: asset[name] for name in _KEPT if name in asset} | {"href": _whole(asset["href"], link)}
            for key, asset in list(assets.items())[:MAX_ASSETS]
            if isinstance(asset, dict) and isinstance(asset.get("href"), str) and _is_image(asset)
        },
    }


def read_item(item: Mapping[str, Any], *, link: str, bands: tuple[str, ...] | None) -> ItemFiles:
    """Find the bands among the assets of an item.

    Args:
        item: from ``trim_item``.
        link: where it lies.
        bands: those wanted, of those that there are; None for all.

    Raises:
        BadRaster: no asset is an image of bands, a band is missing, or an asset of a remote item is a local file.
    """
    name, assets = str(item["id"]), item["assets"]
    singles, wholes = dict[str, BandFile](), list[tuple[str, tuple[str, ...]]]()
    for key, asset in assets.items():
        names = _names(key, asset)
        if len(names) > 1:
            wholes.append((key, names))
        elif names and (names[0] not in singles or "tif" in asset.get("type", "")):
            singles[names[0]] = BandFile(names[0], asset["href"], key)
    if singles:
        missing = [band for band in bands or () if band not in singles]
        if missing:
            msg = f"no asset is the band {', '.join(missing)}; there are {', '.join(singles)}"
            raise BadRaster(msg, file=name)
        files, shared = tuple(singles[band] for band in bands or singles), tuple[str, ...]()
    elif len(wholes) == 1:
        key, shared = wholes[0]
        files = (BandFile("", assets[key]["href"], key),)
    else:
        msg = f"none of its {len(assets)} image assets is a band" if not wholes else "several assets hold several bands"
        raise BadRaster(msg, file=name)
    said = _said(item, tuple(file.asset for file in files) if not shared else (files[0].asset,) * len(shared))
    hrefs = (*(file.path for file in files), said.companions.scl, said.companions.cloud_probability)
    if is_remote(link) and not all(is_remote(href) for href in hrefs if href):
        msg = "an item of another machine names a file of this one"
        raise BadRaster(msg, file=name)
    return ItemFiles(files, shared, said)


def _whole(href: str, link: str) -> str:
    if is_remote(href) or href.startswith("/"):
        return href
    if is_remote(link):
        return urljoin(link, href)
    return os.path.normpath(Path(link).parent / href)


def _is_image(asset: Mapping[str, Any]) -> bool:
    kind = str(asset.get("type", ""))
    ends = asset["href"].partition("?")[0].lower().endswith(_IMAGES)
    return ends if not kind else kind.startswith(("image/tiff", "image/jp2", "image/vnd.stac.geotiff"))


def _names(key: str, asset: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the bands in an asset, as Sentinel-2 writes them; none where it holds no bands."""
    roles = asset.get("roles") or ["data"]
    if key.upper() in _NOT_BANDS or not {"data", "reflectance"} & set(roles):
        return ()
    said = asset.get("eo:bands") or asset.get("bands") or [{}]
    names = tuple(_name(band, key if len(said) == 1 else f"{key}{place}") for place, band in enumerate(said, start=1))
    return () if any(name.upper() in _NOT_BANDS for name in names) else names


def _name(band: Mapping[str, Any], otherwise: str) -> str:
    for text in (band.get("name"), band.get("eo:common_name"), band.get("common_name"), otherwise):
        try:
            return band_name(str(text)) if text else band_name("")
        except ValueError:
            continue
    return "unnamed"


def _said(item: Mapping[str, Any], assets: tuple[str, ...]) -> Said:
    properties, images = item["properties"], item["assets"]
    level = str(properties.get("processing:level") or properties.get("s2:product_type") or "")[-2:].upper()
    since = properties.get("datetime") or properties.get("start_datetime")
    tags = {
        "PRODUCT": str(properties.get("s2:product_uri") or item["id"]),
        "PROCESSING_LEVEL": f"L{level}" if level in ("1C", "2A") else "",
        "ACQUIRED_AT": str(since or ""),
        "ACQUIRED_UNTIL": "" if properties.get("datetime") else str(properties.get("end_datetime") or ""),
    }
    companions = Companions(*(_first(images, keys) for keys in (_SCL, _CLOUD)))
    return Said({key: text for key, text in tags.items() if text}, None, item, assets, companions)


def _first(assets: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return str(next((assets[key]["href"] for key in keys if key in assets), ""))
