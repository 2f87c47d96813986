"""Several scenes read as one, for what no single scene shows whole."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import shapely
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import NotFound
from labelling.core.mosaic import shared_bands
from labelling.models import Scene

MAX_SCENES = 8
"""So many scenes may stand in one address."""
KEY = re.compile(rf"\A[1-9][0-9]{{0,18}}(-[1-9][0-9]{{0,18}}){{0,{MAX_SCENES - 1}}}\Z")
"""How addresses name them: the numbers of the scenes with hyphens between, such as ``12`` or ``12-7``."""
_LEAST = 1e-3
"""A scene that adds less than this share of a place is left out."""


@dataclass(frozen=True)
class SceneMosaic:
    """Scenes of which each pixel shows the first that has data there; one scene alone is the plainest.

    Attributes:
        scenes: at least one, the one that counts most first.
    """

    scenes: tuple[Scene, ...]

    @property
    def front(self) -> Scene:
        """The scene that the others fill up."""
        return self.scenes[0]

    @property
    def key(self) -> str:
        """Its name in addresses: the numbers of the scenes, such as ``12`` or ``12-7``."""
        return "-".join(str(scene.pk) for scene in self.scenes)

    @property
    def version(self) -> str:
        """Changes whenever one of its scenes does; of one scene its own."""
        if len(self.scenes) == 1:
            return self.front.version
        said = " ".join(f"{scene.pk} {scene.version}" for scene in self.scenes)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @property
    def bands(self) -> tuple[str, ...]:
        """The bands that every scene has, in the order of the first."""
        return _shared(self.scenes)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of all scenes, EPSG:4326."""
        west, south, east, north = zip(*(scene.outline.bounds for scene in self.scenes), strict=True)
        return min(west), min(south), max(east), max(north)


class OldVersion(NotFound):
    """The address names a version of the scenes that is no more.

    Attributes:
        current: the version that is now.
    """

    def __init__(self, current: str) -> None:
        self.current = current
        super().__init__("the scene has changed since")


def find_mosaic(*, key: str) -> SceneMosaic:
    """Find the scenes that an address names.

    Args:
        key: numbers of one to eight scenes with hyphens between, such as ``12`` or ``12-7``.

    Raises:
        NotFound: no key, one of them does not exist, or they have no band in common; all alike.
    """
    numbers = [int(part) for part in key.split("-")] if KEY.match(key) else []
    is_good = len(set(numbers)) == len(numbers) and all(number < 1 << 63 for number in numbers)
    found = Scene.objects.in_bulk(numbers) if is_good else {}
    mosaic = SceneMosaic(tuple(found[number] for number in numbers if number in found))
    if not mosaic.scenes or len(mosaic.scenes) < len(numbers) or not mosaic.bands:
        msg = "no such scene"
        raise NotFound(msg)
    return mosaic


def mosaic_over(*, scenes: Sequence[Scene], place: BaseGeometry) -> SceneMosaic | None:
    """Choose scenes that show a place whole where the first of them does not.

    The others are of its level, its sensor and, as far as there are such, of its days: the nearest in time first, and
    each only where it shows more of the place.

    Args:
        scenes: that touch the place, the best first.
        place: EPSG:4326, an area.

    Returns:
        Two to eight scenes; None where the first shows the place whole, or the others show no more of it.
    """
    if not scenes or place.area <= 0:
        return None
    front, *others = scenes
    chosen, rest = [front], shapely.difference(place, front.outline)
    alike = [scene for scene in others if _sort_of(scene) == _sort_of(front)]
    for scene in sorted(alike, key=lambda scene: _apart(front.acquired_at, scene.acquired_at)):
        if len(chosen) == MAX_SCENES or rest.area <= _LEAST * place.area:
            break
        left = shapely.difference(rest, scene.outline)
        if rest.area - left.area > _LEAST * place.area and _shared((*chosen, scene)):
            chosen, rest = [*chosen, scene], left
    return SceneMosaic(tuple(chosen)) if len(chosen) > 1 else None


def _shared(scenes: Sequence[Scene]) -> tuple[str, ...]:
    return tuple(scenes[0].bands) if len(scenes) == 1 else shared_bands([scene.ref() for scene in scenes])


def _sort_of(scene: Scene) -> tuple[str, str, str]:
    return scene.level, scene.sensor, scene.kind


def _apart(first: datetime | None, second: datetime | None) -> timedelta:
    return abs(first - second) if first and second else timedelta.max
