"""Which scenes are clean enough for a recipe, and why the others are not."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from training.core.errors import BadRecipe
from training.core.recipe import UNKNOWN_LEVEL, Recipe

NOT_MEASURED = "not measured yet: a worker does it within minutes, or manage.py measure_quality"


@dataclass(frozen=True)
class _Limit:
    """A figure of a scene that a recipe limits."""

    field: str
    key: str
    words: str
    is_most: bool
    unit: str = "%"

    def refuses(self, recipe: Recipe, quality: Mapping[str, Any]) -> bool:
        value, limit = quality.get(self.key), getattr(recipe, self.field)
        return value is None or (value > limit if self.is_most else value < limit)

    def told(self, recipe: Recipe) -> str:
        limit = getattr(recipe, self.field)
        shown = f"{limit * 100:g} %" if self.unit == "%" else f"{limit:g}{self.unit}"
        return f"{'more' if self.is_most else 'less'} than {shown} {self.words}"


LIMITS = (
    _Limit("min_valid", "valid", "of it has data", is_most=False),
    _Limit("max_cloud", "cloud", "cloud", is_most=True),
    _Limit("max_haze", "haze", "haze", is_most=True),
    _Limit("max_saturated", "saturated", "saturated", is_most=True),
    _Limit("min_sharpness", "sharpness", "sharpness", is_most=False, unit=""),
    _Limit("min_sun", "sun", "sun above the horizon, or its time is not known", is_most=False, unit="°"),
)


def fault_of(recipe: Recipe, *, quality: Mapping[str, Any], is_measured: bool) -> str:
    """Say why a scene is not clean enough; nothing where it is.

    Args:
        recipe: its limits.
        quality: figures of the scene, shares of 0 to 1.
        is_measured: they were measured of all its pixels, by the method of today.
    """
    asked = [limit for limit in LIMITS if getattr(recipe, limit.field) != Recipe.ASKS_NOTHING[limit.field]]
    if not asked:
        return ""
    if "fault" in quality:
        return "its file cannot be read"
    if not is_measured:
        return NOT_MEASURED
    return next((limit.told(recipe) for limit in asked if limit.refuses(recipe, quality)), "")


def level_fault(recipe: Recipe, level: str) -> str:
    """Say why a scene is of the wrong processing level; nothing where the recipe takes it.

    Args:
        recipe: its levels.
        level: of the scene; empty where nothing says it.
    """
    shown = level or UNKNOWN_LEVEL
    return f"of level {shown}" if recipe.levels and shown not in recipe.levels else ""


def refuse_mixed_levels(recipe: Recipe, levels: Iterable[str]) -> None:
    """Refuse scenes of several processing levels unless the recipe names them all.

    The same ground has other numbers at the top of the atmosphere (L1C) than at its bottom (L2A).

    Args:
        recipe: what asks for them.
        levels: one a scene; empty where nothing says it.

    Raises:
        BadRecipe: they are mixed unasked; says how many there are of each, and what to write.
    """
    counts = Counter(level or UNKNOWN_LEVEL for level in levels)
    if recipe.levels or len(counts) < 2:
        return
    told = ", ".join(f"{count} of {level}" for level, count in sorted(counts.items()))
    most = counts.most_common(1)[0][0]
    msg = (
        f"the scenes are of several processing levels ({told}), whose reflectance differs: choose one, as in "
        f'"levels": ["{most}"], or name them all to mix them on purpose'
    )
    raise BadRecipe(msg)
