"""A study of types: what a classifier learns from, what it looks at, and how it is split. No database, no library."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from inference.core.preparation import Preparation
from training.core.errors import BadRecipe, TooFewLabels
from training.core.spatial_groups import BLOCK_M, BUFFER_M

AXES = ("feature", "commodity", "method")
FAMILIES: Mapping[str, str] = {
    "shape": "area, elongation, compactness and corners of the outline",
    "neighbours": "how many sites stand near it, and how near the next one is; not their types",
    "bands": "reflectance inside and against the ring around it, and five indices",
    "texture": "roughness and edges in red, near and shortwave infrared",
    "embedding": "what a network makes of the picture; needs weights of yours",
}
"""The families of features, and what each looks at."""
TRUTHS: Mapping[str, str] = {
    "verified": "sites that people have verified",
    "seeds": "verified sites, and open ones whose type a labelled set names",
}
MIN_EXAMPLES, MIN_GROUPS = 8, 3
MAX_LIMIT = 50_000
CHIP_PX, CHIP_M = 128, 10.0
PICTURE = Preparation(("B04", "B03", "B02"), CHIP_PX, CHIP_M, (0.0,) * 3, (0.3,) * 3)
"""What a network is shown of a site: true colour, 1.28 km wide."""


@dataclass(frozen=True)
class StudySettings:
    """Everything that decides what comes out, beside the labels.

    Attributes:
        axis: of the taxonomy.
        families: keys of ``FAMILIES`` that are measured.
        truth: a key of ``TRUTHS``.
        limit: so many open sites are looked at, those of the highest priority.
        block_m, buffer_m: of the spatial split, metres.
        folds: how many.
        seed: of the random numbers.
        architecture: name of a network of timm, for ``embedding``.
        weights: name of its file among the weights, for ``embedding``.
    """

    axis: str = "feature"
    families: tuple[str, ...] = ("shape", "neighbours", "bands", "texture")
    truth: str = "verified"
    limit: int = 5_000
    block_m: float = BLOCK_M
    buffer_m: float = BUFFER_M
    folds: int = 5
    seed: int = 0
    architecture: str = ""
    weights: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be studied.

        Raises:
            BadRecipe: the text says which setting, and what to choose.
        """
        if self.axis not in AXES or self.truth not in TRUTHS:
            _refuse(f"no axis {self.axis} or truth {self.truth}: take {', '.join(AXES)} and {', '.join(TRUTHS)}")
        strange = [name for name in self.families if name not in FAMILIES]
        if strange or not self.families:
            _refuse(f"no features {', '.join(strange) or 'at all'}: take some of {', '.join(FAMILIES)}")
        if ("embedding" in self.families) != bool(self.architecture and self.weights):
            _refuse("embedding needs the name of a network of timm and a file of weights, and nothing else does")
        if not 0 <= self.limit <= MAX_LIMIT or not 2 <= self.folds <= 20:
            _refuse(f"look at 0 to {MAX_LIMIT} sites, in 2 to 20 folds")

    def to_json(self) -> dict[str, Any]:
        """The canonical JSON form."""
        return {**asdict(self), "families": [name for name in FAMILIES if name in self.families]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "StudySettings":
        """Read the canonical JSON form; what is left out has its default.

        Raises:
            BadRecipe: an unknown setting, or one that cannot be taken.
        """
        unknown = sorted(set(data) - {field.name for field in fields(cls)})
        if unknown:
            _refuse(f"unknown setting {unknown[0]}")
        return cls(**{**data, **({"families": tuple(data["families"])} if "families" in data else {})})


def _refuse(reason: str) -> None:
    raise BadRecipe(reason)


@dataclass(frozen=True)
class Subject:
    """A site as the classifier's process knows it.

    Attributes:
        key: of the site.
        outline: WKB as hexadecimal, EPSG:4326.
        point: longitude and latitude of a point inside it, degrees.
        region: name of its ecoregion; empty for none.
        scenes: numbers of the scenes that show it, the newest first.
        given: its type; empty for a site that wants one.
    """

    key: int
    outline: str
    point: tuple[float, float]
    region: str = ""
    scenes: tuple[int, ...] = ()
    given: str = ""

    def to_json(self) -> list[Any]:
        """As a short row."""
        return [self.key, self.outline, self.point, self.region, self.scenes, self.given]

    @classmethod
    def from_json(cls, row: Sequence[Any]) -> "Subject":
        """Read the short row."""
        key, outline, point, region, scenes, given = row
        return cls(key, outline, (point[0], point[1]), region, tuple(scenes), given)


def hash_labels(subjects: Sequence[Subject]) -> str:
    """SHA-256 of what is learned from: the same labels give the same one, in any order."""
    rows = sorted([one.key, one.outline, one.given] for one in subjects if one.given)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def learnable_types(given: Sequence[str], groups: Sequence[int]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Find the types of which there are enough examples, in enough places, to judge what was learned of them.

    Args:
        given: type of each example.
        groups: spatial group of each.

    Returns:
        The codes in alphabetical order, and code -> examples of those that are left out.

    Raises:
        TooFewLabels: fewer than two types can be learned.
    """
    places: dict[str, set[int]] = {}
    for code, group in zip(given, groups, strict=True):
        places.setdefault(code, set()).add(group)
    counts = {code: given.count(code) for code in sorted(places)}
    codes = tuple(code for code in counts if counts[code] >= MIN_EXAMPLES and len(places[code]) >= MIN_GROUPS)
    if len(codes) < 2:
        msg = (
            f"two types are needed of which at least {MIN_EXAMPLES} sites in {MIN_GROUPS} places are known; there are "
            f"{', '.join(f'{code}: {count}' for code, count in counts.items()) or 'none'}: verify more sites"
        )
        raise TooFewLabels(msg)
    return codes, {code: count for code, count in counts.items() if code not in codes}
