"""What a recipe's choice of imagery means: a few of its sites, each on its best single date and on a composite."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from labelling.models import Label, Scene, Site
from labelling.services.items import scenes_under
from labelling.services.pictures import Picture, picture_of
from training.core.recipe import Recipe
from training.services.material import fault_in

SHOWN = 3
LOOKED_AT = 40
"""Of so many labels those are shown that both a single date and a composite show."""
_COLOURS = 3


@dataclass(frozen=True)
class Shot:
    """A site as one kind of imagery shows it.

    Attributes:
        picture: the ground and the outline of the label.
        about: which scene, and when it was taken or of what it was made.
        left_out: why the recipe does not cut from it; empty where it does.
    """

    picture: Picture
    about: str
    left_out: str


@dataclass(frozen=True)
class Beside:
    """A site on a single date and on a composite; None where there is none."""

    site: Site
    single: Shot | None
    composite: Shot | None


@dataclass(frozen=True)
class SideBySide:
    """What a page shows of a recipe's imagery.

    Attributes:
        rows: at most three sites.
        stretch: the recipe's darkest and brightest reflectance, for the address of the pictures.
    """

    rows: tuple[Beside, ...]
    stretch: str


def compare_imagery(*, recipe: Recipe) -> SideBySide:
    """Choose a few sites of a recipe, and the best scene of either kind over each.

    Args:
        recipe: its labels, bands, stretch and limits count.
    """
    labels = _labels(recipe)
    under = scenes_under([label.site for label in labels])
    seen = [(label, _by_kind(under.get(label.site_id, ()))) for label in labels]
    both_first = sorted((one for one in seen if any(one[1].values())), key=lambda one: -sum(map(bool, one[1].values())))
    rows = tuple(
        Beside(
            label.site,
            _shot(recipe, label, kinds[Scene.Kind.SINGLE.value]),
            _shot(recipe, label, kinds[Scene.Kind.COMPOSITE.value]),
        )
        for label, kinds in both_first[:SHOWN]
    )
    return SideBySide(rows, f"{min(recipe.low[:_COLOURS]):g},{max(recipe.high[:_COLOURS]):g}")


def _labels(recipe: Recipe) -> list[Label]:
    rows = Label.objects.filter(state=Label.State.VERIFIED, **{f"{recipe.axis}__isnull": False})
    if recipe.types:
        rows = rows.filter(**{f"{recipe.axis}__code__in": recipe.types})
    if recipe.regions:
        rows = rows.filter(site__region__eco_id__in=recipe.regions)
    return list(rows.select_related("site").order_by("site_id")[:LOOKED_AT])


def _by_kind(scenes: Sequence[Scene]) -> dict[str, list[Scene]]:
    return {kind: [scene for scene in scenes if scene.kind == kind] for kind in Scene.Kind.values}


def _shot(recipe: Recipe, label: Label, scenes: Sequence[Scene]) -> Shot | None:
    """The first scene that the recipe takes; where it takes none, the first and why not."""
    if not scenes:
        return None
    taken = [scene for scene in scenes if not _left_out(recipe, scene)]
    picture = picture_of(scenes=taken or scenes, outlines=[label.geometry])
    if picture.mosaic and len(recipe.bands) >= _COLOURS and set(recipe.bands) <= set(picture.mosaic.bands):
        picture = replace(picture, combination=",".join(recipe.bands[:_COLOURS]))
    front = (taken or scenes)[0]
    return Shot(picture, _about(front), "" if taken else _left_out(recipe, front))


def _left_out(recipe: Recipe, scene: Scene) -> str:
    if scene.kind not in recipe.kinds:
        return f"it takes no {'composites' if scene.kind == Scene.Kind.COMPOSITE else 'single dates'}"
    if recipe.sensors and scene.sensor not in recipe.sensors:
        return f"of the sensor {scene.sensor or 'that nobody named'}"
    missing = [band for band in recipe.bands if band not in scene.bands]
    return f"without {', '.join(missing)}" if missing else fault_in(recipe, scene)


def _about(scene: Scene) -> str:
    days = [f"{moment:%Y-%m-%d}" for moment in (scene.acquired_at, scene.acquired_until) if moment]
    when = " to ".join(dict.fromkeys(days)) or "no date"
    if scene.kind != Scene.Kind.COMPOSITE:
        return f"{when}, {scene.name}"
    method, parts = scene.provenance.get("method", ""), scene.provenance.get("scenes", [])
    made = f"{method} composite".strip() + (f" of {len(parts)} scenes" if parts else "")
    return f"{made}, {when}, {scene.name}"
