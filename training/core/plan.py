"""A recipe with its settings: the presets, and recipe files."""

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from training.core.errors import BadRecipe
from training.core.fields import refuse_unknown
from training.core.recipe import KINDS, Recipe, TrainSettings

_MAX_FILE = 1 << 20


@dataclass(frozen=True)
class Plan:
    """A recipe and the settings to train with: all that an experiment needs."""

    recipe: Recipe
    settings: TrainSettings

    def __post_init__(self) -> None:
        """Refuse an architecture that does not draw what the recipe asks for.

        Raises:
            BadRecipe: boxes and polygons are mixed.
        """
        stem, _, suffix = self.settings.architecture.rpartition(".")
        segments = "-seg" in stem
        if suffix == "yaml" and segments != (self.recipe.geometry == "segment"):
            other = stem.replace("-seg", "") if segments else f"{stem}-seg"
            msg = f"geometry is {self.recipe.geometry} but architecture is {stem}.yaml: take {other}.yaml"
            raise BadRecipe(msg)

    def to_json(self) -> dict[str, Any]:
        """One flat object with the fields of both."""
        return self.recipe.to_json() | self.settings.to_json()

    @classmethod
    def from_json(cls, data: Any) -> "Plan":
        """Read one flat object; with ``preset`` it needs to hold only what differs from it.

        Raises:
            BadRecipe: a field is missing, unknown, of another type or out of range.
        """
        if not isinstance(data, dict):
            msg = 'a recipe is a JSON object, such as {"preset": "baseline", "epochs": 20}'
            raise BadRecipe(msg)
        given = dict(data)
        base = preset(given.pop("preset")).to_json() if "preset" in given else {}
        whole = base | given
        mine, settings = ({field.name for field in fields(kind)} for kind in (Recipe, TrainSettings))
        refuse_unknown(whole, mine | settings)
        return cls(
            Recipe.from_json({name: value for name, value in whole.items() if name in mine}),
            TrainSettings.from_json({name: value for name, value in whole.items() if name in settings}),
        )


def read_plan(path: Path) -> Plan:
    """Read a recipe file.

    Args:
        path: a JSON file as ``Plan.from_json`` reads it.

    Raises:
        BadRecipe: no such file, not JSON, or not a recipe; names the file.
    """
    try:
        if path.stat().st_size > _MAX_FILE:
            msg = f"{path.name}: larger than 1 MB, not a recipe"
            raise BadRecipe(msg)
        return Plan.from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        msg = f"{path.name}: {error.strerror or error}"
        raise BadRecipe(msg) from error
    except (ValueError, RecursionError) as error:
        msg = f"{path.name}: not JSON in UTF-8: {error}"
        raise BadRecipe(msg) from error
    except BadRecipe as error:
        msg = str(error) if str(error).startswith(path.name) else f"{path.name}: {error}"
        raise BadRecipe(msg) from error


def preset(name: Any) -> Plan:
    """Find a preset by its name.

    Raises:
        BadRecipe: no preset of that name.
    """
    if not isinstance(name, str) or name not in PRESETS:
        msg = f"no preset {name!r}: choose {', '.join(PRESETS)}"
        raise BadRecipe(msg)
    return PRESETS[name]


# Plain chips of clean imagery: every other idea is measured against this one.
BASELINE = Plan(
    Recipe(
        axis="feature",
        types=(),
        regions=(),
        kinds=KINDS,
        sensors=(),
        levels=(),
        min_valid=0.0,
        max_cloud=1.0,
        max_haze=1.0,
        max_saturated=1.0,
        min_sharpness=0.0,
        min_sun=0.0,
        min_clear=0.0,
        scenes_per_label=1,
        bands=("B04", "B03", "B02"),
        low=(0.02, 0.02, 0.02),
        high=(0.35, 0.35, 0.35),
        chip_px=320,
        pixel_m=10.0,
        zooms=(1.0,),
        centrings=1,
        off_centre=0.0,
        min_visible=0.3,
        min_shown=0.5,
        backgrounds=0.1,
        geometry="detect",
        block_m=20_000.0,
        val_share=0.2,
        buffer_m=500.0,
        testset="",
        split_seed=0,
    ),
    TrainSettings(architecture="yolo11n.yaml", epochs=100, batch=16, patience=50, seed=0),
)
# Several chips of each label, at other zooms and off the middle, cut from the imagery already held.
PERTURBED = Plan(replace(BASELINE.recipe, zooms=(0.75, 1.0, 1.5), centrings=3, off_centre=0.3), BASELINE.settings)
# Only scenes that are mostly clear, and of them only where the ground around the label is.
CLEAN = Plan(
    replace(BASELINE.recipe, max_cloud=0.3, max_saturated=0.01, min_sun=20.0, min_clear=0.9), BASELINE.settings
)
# Small enough to see the whole loop turn on a laptop.
QUICK = Plan(
    replace(
        BASELINE.recipe,
        scenes_per_label=2,
        chip_px=128,
        pixel_m=20.0,
        centrings=3,
        off_centre=0.25,
        block_m=6_000.0,
        buffer_m=100.0,
    ),
    replace(BASELINE.settings, epochs=24, patience=24),
)
PRESETS: dict[str, Plan] = {"baseline": BASELINE, "clean": CLEAN, "perturbed": PERTURBED, "quick": QUICK}
