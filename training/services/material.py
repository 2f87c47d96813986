"""What a dataset is built from: settled truth, reviewed ground, scenes, and the ground that is kept out."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import shapely
from django.db.models import F
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from labelling.core.geometry import inner_point
from labelling.core.globe import outline_to_lonlat, to_crs
from labelling.core.quality import METHOD
from labelling.core.raster import SceneRef, utm_of
from labelling.models import Decision, Label, MineType, ReviewedArea, Scene
from labelling.models.spatial import to_shapely
from training.core.chips import Truth
from training.core.cleaning import fault_of, level_fault, refuse_mixed_levels
from training.core.errors import BadRecipe, TooFewLabels
from training.core.recipe import Recipe
from training.models import TestBlock, TestSet

# A rejection for these reasons says that the ground is what any other ground is; for all others a mine may be there.
_BACKGROUND = (Decision.Reason.NOT_A_MINE, Decision.Reason.DUPLICATE)
# A mine known only as a point reaches somewhere around it: this much is blacked out.
_POINT_M = 250.0

OUTSIDE = "outside every reviewed area"
NO_OUTLINE = "known only as a point"
NO_TYPE = "without a type on this axis"


@dataclass(frozen=True)
class Anchor:
    """A label that chips are cut around."""

    site: int
    type_index: int
    point: Point
    geometry: BaseGeometry


@dataclass(frozen=True)
class Imagery:
    """A scene that chips may be cut from.

    Attributes:
        scene: its row.
        ref: the scene as the floors below the database know it.
        footprint: EPSG:4326.
    """

    scene: Scene
    ref: SceneRef
    footprint: BaseGeometry


@dataclass(frozen=True)
class Material:
    """All that goes into a dataset; the same material and recipe give the same files.

    Attributes:
        types: codes in the order of the model's classes.
        anchors: labels to cut chips around.
        truths: whatever is settled or open on the ground, labels included.
        areas: reviewed areas, EPSG:4326.
        kept_out: test blocks with their buffers, EPSG:4326.
        scenes: to cut from, best first.
        testset: the test set kept out; the newest where there are several.
        hash: SHA-256 of all that.
        left_out: labels that could not be used, by reason.
        scenes_left_out: scenes that the recipe refuses, by reason.
    """

    types: tuple[str, ...]
    anchors: tuple[Anchor, ...]
    truths: tuple[Truth, ...]
    areas: tuple[BaseGeometry, ...]
    kept_out: tuple[BaseGeometry, ...]
    scenes: tuple[Imagery, ...]
    testset: TestSet | None
    hash: str
    left_out: dict[str, int]
    scenes_left_out: dict[str, int]


def gather_material(*, recipe: Recipe) -> Material:
    """Read what a recipe asks for from the database.

    Raises:
        BadRecipe: it names a type, or a test set, that does not exist, or would mix processing levels unasked.
        TooFewLabels: no reviewed area, no verified label in one, or no scene with the bands that is clean enough;
            says what to do.
    """
    areas = _reviewed_areas(recipe)
    labels = list(_labels_within(recipe, areas))
    types = _types(recipe, [label for label, inside in labels if inside])
    left_out: Counter[str] = Counter()
    truths: list[Truth] = []
    anchors: list[Anchor] = []
    for label, inside in labels:
        if not inside:
            left_out[OUTSIDE] += label.state == Label.State.VERIFIED
            continue
        truth = _truth(recipe, types, label)
        if truth is None:
            continue
        truths.append(truth)
        if label.state == Label.State.VERIFIED and truth.type_index is None:
            left_out[NO_TYPE if _type_of(recipe, label) is None else NO_OUTLINE] += 1
        elif truth.type_index is not None and _in_regions(recipe, label):
            anchors.append(Anchor(truth.site, truth.type_index, inner_point(truth.geometry), truth.geometry))
    if not anchors:
        msg = (
            f"no verified label with a type on the axis {recipe.axis} lies in a reviewed area that this recipe "
            "may use: verify sites, and complete the windows around them"
        )
        raise TooFewLabels(msg)
    testsets = _testsets(recipe)
    scenes, scenes_left_out = _scenes(recipe)
    kept_out = tuple(
        to_shapely(block.buffered) for block in TestBlock.objects.filter(testset__in=testsets).order_by("pk")
    )
    parts = [f"type {code}" for code in types]
    parts += [f"truth {truth.site} {truth.type_index} {truth.geometry.wkb_hex}" for truth in truths]
    parts += [f"anchor {anchor.site}" for anchor in anchors]
    parts += [f"area {area.wkb_hex}" for area in areas]
    parts += [f"scene {one.scene.pk} {one.scene.version}" for one in scenes]
    parts += [f"testset {testset.checksum}" for testset in testsets]
    return Material(
        types=types,
        anchors=tuple(anchors),
        truths=tuple(truths),
        areas=areas,
        kept_out=kept_out,
        scenes=scenes,
        testset=testsets[0] if testsets else None,
        hash=hashlib.sha256("\n".join(parts).encode()).hexdigest(),
        left_out=dict(+left_out),
        scenes_left_out=scenes_left_out,
    )


def _reviewed_areas(recipe: Recipe) -> tuple[BaseGeometry, ...]:
    rows = ReviewedArea.objects.filter(axis=recipe.axis, revoked_at=None).order_by("pk")
    areas = tuple(to_shapely(area.geometry) for area in rows)
    if not areas:
        msg = (
            f"no reviewed area on the axis {recipe.axis}: only ground of which a person said that everything is "
            "labelled may train. Complete windows in the review (key C)"
        )
        raise TooFewLabels(msg)
    return areas


def _labels_within(recipe: Recipe, areas: tuple[BaseGeometry, ...]) -> Iterable[tuple[Label, bool]]:
    tree = shapely.STRtree(areas)
    for label in Label.objects.select_related(recipe.axis, "site__region").order_by("site_id").iterator(2000):
        yield label, bool(len(tree.query(to_shapely(label.geometry), predicate="intersects")))


def _type_of(recipe: Recipe, label: Label) -> MineType | None:
    found: MineType | None = getattr(label, recipe.axis)
    return found


def _types(recipe: Recipe, labels: list[Label]) -> tuple[str, ...]:
    if recipe.types:
        known = set(MineType.objects.filter(axis=recipe.axis).values_list("code", flat=True))
        unknown = [code for code in recipe.types if code not in known]
        if unknown:
            msg = f"no type {', '.join(unknown)} on the axis {recipe.axis}: it has {', '.join(sorted(known))}"
            raise BadRecipe(msg)
        return recipe.types
    outlined = [label for label in labels if label.state == Label.State.VERIFIED and label.geometry.dims == 2]
    found = {kind for label in outlined if (kind := _type_of(recipe, label)) is not None}
    return tuple(kind.code for kind in sorted(found, key=lambda kind: (kind.rank, kind.code)))


def _truth(recipe: Recipe, types: tuple[str, ...], label: Label) -> Truth | None:
    """What a label says of its ground; None where the ground is as any other."""
    kind = _type_of(recipe, label)
    if label.state == Label.State.REJECTED and label.reason in _BACKGROUND:
        return None
    settled = label.state == Label.State.VERIFIED and kind is not None
    if settled and kind is not None and kind.code not in types and recipe.types:
        return None  # a mine, but of a type that this model is to tell apart from its own
    geometry = to_shapely(label.geometry)
    if shapely.get_dimensions(geometry) < 2:
        return Truth(label.site_id, None, _around(inner_point(geometry)))
    return Truth(label.site_id, types.index(kind.code) if settled and kind else None, geometry)


def _around(point: Point) -> BaseGeometry:
    crs = utm_of(point.x, point.y)
    return outline_to_lonlat(to_crs(point, crs).buffer(_POINT_M), crs)


def _in_regions(recipe: Recipe, label: Label) -> bool:
    region = label.site.region
    return not recipe.regions or (region is not None and region.eco_id in recipe.regions)


def _testsets(recipe: Recipe) -> list[TestSet]:
    if not recipe.testset:
        return list(TestSet.objects.order_by("-pk"))
    found = list(TestSet.objects.filter(name=recipe.testset))
    if not found:
        names = ", ".join(TestSet.objects.values_list("name", flat=True)) or "none is frozen yet"
        msg = f"no test set {recipe.testset!r} to keep out: {names}"
        raise BadRecipe(msg)
    return found


def _scenes(recipe: Recipe) -> tuple[tuple[Imagery, ...], dict[str, int]]:
    """The scenes that a recipe takes, and how many it refuses, by reason."""
    rows = Scene.objects.filter(kind__in=recipe.kinds).defer("clearness")
    rows = rows.order_by("-kind", F("acquired_at").desc(nulls_last=True), "name", "pk")
    if recipe.sensors:
        rows = rows.filter(sensor__in=recipe.sensors)
    banded = [scene for scene in rows if set(recipe.bands) <= set(scene.bands)]
    if not banded:
        msg = f"no scene of the kinds {', '.join(recipe.kinds)} has the bands {', '.join(recipe.bands)}: import one"
        raise TooFewLabels(msg)
    faults = {scene.pk: fault_in(recipe, scene) for scene in banded}
    kept, left_out = [scene for scene in banded if not faults[scene.pk]], Counter(filter(None, faults.values()))
    if not kept:
        told = ", ".join(f"{count} {reason}" for reason, count in left_out.most_common())
        msg = f"the recipe refuses all {len(banded)} scenes ({told}): import cleaner ones, or ask for less"
        raise TooFewLabels(msg)
    refuse_mixed_levels(recipe, [scene.level for scene in kept])
    scenes = (Imagery(scene, scene.ref(), to_shapely(scene.footprint)) for scene in kept)
    return tuple(scenes), dict(left_out)


def fault_in(recipe: Recipe, scene: Scene) -> str:
    """Say why a scene with the bands of a recipe is of the wrong level or not clean enough; else nothing."""
    wrong = level_fault(recipe, scene.level)
    return wrong or fault_of(recipe, quality=scene.quality, is_measured=scene.measured == METHOD)
