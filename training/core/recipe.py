"""Recipes: everything that defines a training set, and how a network is trained on it, frozen and hashed.

No field has a default: the presets in ``training.core.plan`` are the one place where values stand.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from inference.core.preparation import Preparation
from training.core.errors import BadRecipe
from training.core.fields import Frozen, check_choice, check_range, check_ranges

AXES = ("feature", "commodity", "method")
KINDS = ("single", "composite")
GEOMETRIES = ("detect", "segment")
UNKNOWN_LEVEL = "unknown"
LEVELS = ("L1C", "L2A", UNKNOWN_LEVEL)
STRIDE = 32
_ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9._-]{0,70}\.(yaml|pt)")
_CODE = re.compile(r"[a-z0-9_-]{1,60}")


@dataclass(frozen=True)
class Recipe(Frozen):
    """What a training set is made of. Its hash is its identity.

    Attributes:
        axis: the axis whose types are learnt.
        types: their codes, in the order of the model's classes; empty for all that have labels.
        regions: numbers of the ecoregions to learn from; empty for everywhere.
        kinds: kinds of scene to cut from.
        sensors: their sensors; empty for any.
        levels: processing levels of the scenes, ``L1C``, ``L2A`` or ``unknown``; empty for whichever it is, as long as
            all are of one.
        min_valid: a scene with less data than this share of it is left out.
        max_cloud, max_haze, max_saturated: likewise with more than this share of its data cloud (haze included),
            haze or saturated.
        min_sharpness: likewise with less, 0 to 1.
        min_sun: likewise with the sun lower than so many degrees above the horizon.
        min_clear: a scene is left out for a label where less than this is clear on the chip around it, 0 to 1.
        scenes_per_label: from how many scenes each label is cut, the best covering and newest first.
        bands: band names in the order of the model's channels.
        low, high: reflectance that becomes 0 and 255, one per band.
        chip_px: side of a chip, pixels, a multiple of 32; the network sees chips at this size, here and in detection.
        pixel_m: ground size of a chip's pixel at zoom 1, metres.
        zooms: factors on ``pixel_m``; each label is cut once at each.
        centrings: placements per label and zoom; the first in the middle, the others off it.
        off_centre: how far off at most, as a share of the chip's side.
        min_visible: a label counts on a chip that shows this share of it (or of the chip, where the label is
            larger than the chip); a smaller rest is blacked out.
        min_shown: a chip that shows less than this share of itself is left out.
        backgrounds: share of chips without a label, taken from reviewed areas.
        geometry: ``detect`` for boxes, ``segment`` for polygons.
        block_m: side of a block of the split, metres.
        val_share: share of the labels whose blocks validate.
        buffer_m: training chips show nothing within so many metres of a validation block.
        testset: name of the test set that is kept out; empty for every frozen one.
        split_seed: decides blocks, placements and backgrounds.
    """

    axis: str
    types: tuple[str, ...]
    regions: tuple[int, ...]
    kinds: tuple[str, ...]
    sensors: tuple[str, ...]
    levels: tuple[str, ...]
    min_valid: float
    max_cloud: float
    max_haze: float
    max_saturated: float
    min_sharpness: float
    min_sun: float
    min_clear: float
    scenes_per_label: int
    bands: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    chip_px: int
    pixel_m: float
    zooms: tuple[float, ...]
    centrings: int
    off_centre: float
    min_visible: float
    min_shown: float
    backgrounds: float
    geometry: str
    block_m: float
    val_share: float
    buffer_m: float
    testset: str
    split_seed: int

    ASKS_NOTHING: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "levels": (),
            "min_valid": 0.0,
            "max_cloud": 1.0,
            "max_haze": 1.0,
            "max_saturated": 1.0,
            "min_sharpness": 0.0,
            "min_sun": 0.0,
            "min_clear": 0.0,
        }
    )

    def __post_init__(self) -> None:
        """Refuse values that make no sense.

        Raises:
            BadRecipe: says which field, what it holds and what it may hold.
        """
        check_choice("axis", (self.axis,), AXES)
        check_choice("kinds", self.kinds, KINDS)
        check_choice("geometry", (self.geometry,), GEOMETRIES)
        if self.levels:
            check_choice("levels", self.levels, LEVELS)
        _check_codes(self)
        _check_bands(self)
        check_ranges(self, _RECIPE_RANGES)
        for zoom in self.zooms:
            check_range("zooms", zoom, (0.25, 8.0))
        if self.chip_px % STRIDE:
            msg = (
                f"chip_px is {self.chip_px}: take a multiple of {STRIDE}, such as {-(-self.chip_px // STRIDE) * STRIDE}"
            )
            raise BadRecipe(msg)
        widest = self.chip_px * self.pixel_m * max(self.zooms)
        if self.block_m < widest:
            msg = f"block_m is {self.block_m:g} but the widest chip is {widest:g} m: make the blocks at least as wide"
            raise BadRecipe(msg)

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON form: the identity of the recipe.

        A field that came later is left out of it while it asks for nothing: recipes of before keep their identity.
        """
        asked = {name: value for name, value in self.__dict__.items() if value != self.ASKS_NOTHING.get(name)}
        told = {name: value for name, value in self.to_json().items() if name in asked}
        return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def preparation(self) -> Preparation:
        """How pixels become the model's input, for these chips and for detection alike."""
        return Preparation(self.bands, self.chip_px, self.pixel_m, self.low, self.high)

    @property
    def chips_per_label(self) -> int:
        """Most chips that one label gives."""
        return self.scenes_per_label * len(self.zooms) * self.centrings


@dataclass(frozen=True)
class TrainSettings(Frozen):
    """How a network is trained on a dataset.

    Attributes:
        architecture: a network that ultralytics describes, such as ``yolo11n.yaml``, or weights that an admin
            put into the folder of weights, such as ``yolo11n.pt``.
        epochs: at most.
        batch: chips per step.
        patience: stop after so many epochs without a better validation.
        seed: of weights, order and augmentation.
    """

    architecture: str
    epochs: int
    batch: int
    patience: int
    seed: int

    def __post_init__(self) -> None:
        """Refuse values that make no sense.

        Raises:
            BadRecipe: says which field, what it holds and what it may hold.
        """
        if not _ARCHITECTURE.fullmatch(self.architecture):
            msg = f"architecture is {self.architecture!r}: name a network such as yolo11n.yaml, or weights such as a.pt"
            raise BadRecipe(msg)
        check_ranges(self, _SETTINGS_RANGES)


def _check_codes(recipe: Recipe) -> None:
    for name in ("types", "regions", "kinds", "sensors", "levels", "bands", "zooms"):
        values = getattr(recipe, name)
        if len(set(values)) != len(values):
            msg = f"{name} names one thing twice: {', '.join(map(str, values))}"
            raise BadRecipe(msg)
    wrong = [code for code in recipe.types if not _CODE.fullmatch(code)]
    if wrong:
        msg = f"types holds {wrong[0]!r}, which is no code of a type, such as open_pit"
        raise BadRecipe(msg)


def _check_bands(recipe: Recipe) -> None:
    if not recipe.zooms:
        msg = "zooms is empty: [1.0] cuts each label once"
        raise BadRecipe(msg)
    try:
        recipe.preparation()
    except ValueError as error:
        msg = f"bands, low and high do not fit: {error}"
        raise BadRecipe(msg) from error


_RECIPE_RANGES: dict[str, tuple[float, float]] = {
    "min_valid": (0, 1),
    "max_cloud": (0, 1),
    "max_haze": (0, 1),
    "max_saturated": (0, 1),
    "min_sharpness": (0, 1),
    "min_sun": (0, 90),
    "min_clear": (0, 1),
    "scenes_per_label": (1, 50),
    "chip_px": (32, 2048),
    "pixel_m": (0.1, 1000),
    "centrings": (1, 50),
    "off_centre": (0, 0.5),
    "min_visible": (0.01, 1),
    "min_shown": (0.01, 1),
    "backgrounds": (0, 0.9),
    "block_m": (100, 2_000_000),
    "val_share": (0.01, 0.9),
    "buffer_m": (0, 100_000),
    "split_seed": (0, 2**31 - 1),
}
_SETTINGS_RANGES: dict[str, tuple[float, float]] = {
    "epochs": (1, 10_000),
    "batch": (1, 1024),
    "patience": (1, 10_000),
    "seed": (0, 2**31 - 1),
}
