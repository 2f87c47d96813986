"""Scene classifications and cloud probabilities that lie beside a scene, found by name."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from labelling.core.errors import BadRaster
from labelling.core.raster import open_raster

SUFFIXES = (".tif", ".tiff", ".jp2")
_PARTS = re.compile(r"[_.\-]+")
_SCL = frozenset({"SCL"})
_CLOUD = frozenset({"CLDPRB", "CLDPROB", "CLP", "CLD"})
# What a name says of the pixels and not of the place and time: the product, and how wide a pixel is.
_PRODUCTS = frozenset({"BOA", "TOA", "SR", "MSI"})
_WIDTH = re.compile(r"\d{2}M?")


@dataclass(frozen=True)
class Companions:
    """Paths of what lies beside a scene; empty where there is none."""

    scl: str = ""
    cloud_probability: str = ""


def is_companion(path: Path) -> bool:
    """Say whether a file is, by its name, a scene classification or a cloud probability and no scene."""
    parts = _parts(path)
    return path.suffix.lower() in SUFFIXES and not parts.isdisjoint(_SCL | _CLOUD)


def find_companions(path: Path) -> Companions:
    """Find the companions of a scene in its own folder.

    They have the name of the scene with ``SCL``, or ``CLDPRB``, ``CLDPROB``, ``CLP`` or ``CLD``, in it: in the place
    of its product (``T29UNU_20221005T115411_BOA_60m.tif`` and ``T29UNU_20221005T115411_SCL_20m.tif``) or added to it
    (``pit.tif`` and ``pit_SCL.tif``). The width of a pixel in the name may be another one.

    Args:
        path: of the scene.
    """
    folder = path.parent
    beside = _beside(folder, folder.stat().st_mtime_ns)
    return Companions(*(beside.get((kind, _key(path)), "") for kind in ("scl", "cloud")))


def check_companion(path: str, *, roots: tuple[Path, ...] = ()) -> None:
    """Make sure that a file can be a scene classification or a cloud probability.

    Args:
        path: of it, or its address.
        roots: a file of this machine must lie below one of these folders; empty for any.

    Raises:
        BadRaster: it may not or cannot be read, or has several bands, or other numbers than bytes.
    """
    with open_raster(path, roots=roots) as dataset:
        if dataset.count != 1 or dataset.dtypes[0] != "uint8" or dataset.crs is None:
            msg = "is no scene classification or cloud probability: one band of bytes with a CRS is wanted"
            raise BadRaster(msg, file=Path(path).name)


@lru_cache(maxsize=64)
def _beside(folder: Path, _changed: int) -> dict[tuple[str, frozenset[str]], str]:
    """The companions in a folder, listed once for all its scenes until it changes."""
    found = {}
    for path in sorted(folder.iterdir()):
        if is_companion(path):
            found["scl" if _SCL & _parts(path) else "cloud", _key(path)] = str(path)
    return found


def _parts(path: Path) -> frozenset[str]:
    return frozenset(_PARTS.split(path.stem.upper()))


def _key(path: Path) -> frozenset[str]:
    kept = _parts(path) - _SCL - _CLOUD - _PRODUCTS
    return frozenset(part for part in kept if not _WIDTH.fullmatch(part))
