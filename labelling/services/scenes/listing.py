"""What there is to import: files, folders, patterns, addresses, prefixes of an object store, items of catalogues."""

import fnmatch
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labelling.core.companions import is_companion
from labelling.core.errors import BadInput
from labelling.core.geotiff import inside_path
from labelling.core.hosts import RemoteFault
from labelling.core.remote import is_remote
from labelling.core.s3 import is_s3, list_objects, s3_address
from labelling.core.safe import is_safe
from labelling.core.stac_search import StacSearch
from labelling.services.scenes.roots import scene_roots

SUFFIXES = (".tif", ".tiff")
_PACKED = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")
_WILD = "*?["
Source = str | Mapping[str, Any]
"""A path, pattern or address; or ``{"stac": {...}}``, a search as ``StacSearch.to_json`` writes it."""


@dataclass(frozen=True)
class Refusal:
    """A file that was not catalogued, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class Found:
    """Something that may become a scene: its key, and what a catalogue says of it."""

    key: str
    said: Mapping[str, Any] = field(default_factory=dict)


def list_source(source: Source) -> Iterator[Found | Refusal]:
    """Find what a source holds.

    Args:
        source: see ``Source``.

    Yields:
        What may become a scene, and what was named but is none.
    """
    empty = True
    try:
        for found in _found_in(source):
            empty = False
            yield found
    except (BadInput, RemoteFault) as error:
        empty = False
        yield Refusal(name_of(source), str(error))
    if empty:
        yield Refusal(name_of(source), _why_nothing(source))


def name_of(source: Source) -> str:
    """A source as a person writes it."""
    return source if isinstance(source, str) else str(source["stac"]["url"])


def _found_in(source: Source) -> Iterator[Found | Refusal]:
    if not isinstance(source, str):
        # pystac and what it brings stay out of the web process.
        from labelling.core.stac import search_stac

        search = StacSearch.from_json(dict(source["stac"]))
        yield from (Found(link, item) for link, item in search_stac(search, roots=scene_roots()))
    elif is_s3(source):
        yield from _in_store(s3_address(source))
    elif is_remote(source):
        yield Found(source)
    else:
        yield from _on_disk(source)


def _in_store(address: str) -> Iterator[Found]:
    if address.lower().endswith((*SUFFIXES, ".jp2")) and not any(mark in address for mark in _WILD):
        yield Found(address)
        return
    fixed = address[: min((address.find(mark) for mark in _WILD if mark in address), default=len(address))]
    for found, size in list_objects(fixed):
        is_meant = fixed == address or fnmatch.fnmatchcase(found, address)
        if size and is_meant and found.lower().endswith(SUFFIXES) and not is_companion(Path(found)):
            yield Found(found)


def _on_disk(source: str) -> Iterator[Found | Refusal]:
    path = Path(source).absolute()
    inside_path(path, roots=scene_roots())
    if path.suffix.lower() in _PACKED and path.is_file():
        yield Refusal(source, "a packed archive: unpack it, and import the folder")
    elif is_safe(path) or path.is_file():
        yield Found(str(path))
    elif path.is_dir():
        yield from (Found(str(one)) for one in _below(path))
    elif any(mark in source for mark in _WILD):
        found = sorted(Path("/").glob(str(path).lstrip("/")))
        yield from (Found(str(one)) for one in found if is_safe(one) or (one.is_file() and not is_companion(one)))


def _below(folder: Path) -> Iterator[Path]:
    """Scenes at any depth, in the order of their paths; a SAFE folder is one."""
    for place, folders, files in os.walk(folder):
        here = Path(place)
        products = [name for name in folders if is_safe(here / name)]
        folders[:] = sorted(set(folders) - set(products))
        images = [name for name in files if name.lower().endswith(SUFFIXES) and not is_companion(Path(name))]
        yield from (here / name for name in sorted([*products, *images]) if (here / name).exists())


def _why_nothing(source: Source) -> str:
    if not isinstance(source, str):
        return "the search finds nothing"
    if is_remote(source):
        return "no .tif or .tiff file below it"
    if Path(source).is_dir():
        return "no .tif or .tiff file in it"
    return "no such file"
