"""What a study of types learns from and looks at, taken out of the database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from labelling.models import Label, Scene, Site
from labelling.models.spatial import to_shapely
from labelling.services.items import scenes_under
from labelling.services.joins import typed_by_seeds
from training.core.blocks import leaks
from training.core.type_study import StudySettings, Subject
from training.models import TestBlock

_AT_ONCE = 400


@dataclass(frozen=True)
class Material:
    """All that a study needs of the database.

    Attributes:
        examples: sites with a type to learn.
        others: open sites to look at.
        scenes: that show them, by the numbers that they name.
        tested: examples that were left out because they stand in a test block or its buffer.
    """

    examples: tuple[Subject, ...]
    others: tuple[Subject, ...]
    scenes: tuple[Scene, ...]
    tested: int


def count_examples(*, axis: str, truth: str) -> dict[str, int]:
    """Count the examples of each type of an axis, by ``StudySettings.truth``."""
    counts: dict[str, int] = {}
    for _, _, code in _known(axis, truth):
        counts[code] = counts.get(code, 0) + 1
    return dict(sorted(counts.items()))


def gather_material(*, settings: StudySettings) -> Material:
    """Take examples, open sites and scenes out of the database.

    Nothing in a test block, or within its buffer, is learned from.
    """
    known = list(_known(settings.axis, settings.truth))
    blocks = [to_shapely(block) for block in TestBlock.objects.values_list("buffered", flat=True)]
    kept_out = set(leaks(blocks, [to_shapely(outline) for _, outline, _ in known])) if blocks else set()
    given = {row[0]: row[1:] for index, row in enumerate(known) if index not in kept_out}
    open_sites = Site.objects.filter(state=Site.State.OPEN, priority__gte=0).exclude(pk__in=[row[0] for row in known])
    wanted = list(open_sites.order_by("-priority", "pk").values_list("pk", flat=True)[: settings.limit])
    numbers: dict[int, int] = {}
    scenes: list[Scene] = []
    examples: list[Subject] = []
    others: list[Subject] = []
    for site, under in _with_scenes([*sorted(given), *wanted]):
        for scene in under:
            if numbers.setdefault(scene.pk, len(scenes)) == len(scenes):
                scenes.append(scene)
        outline, code = given.get(site.pk, (site.footprint, ""))
        subject = _subject(site, outline, code, tuple(numbers[scene.pk] for scene in under))
        (examples if code else others).append(subject)
    return Material(tuple(examples), tuple(others), tuple(scenes), len(kept_out))


def _known(axis: str, truth: str) -> Iterator[tuple[int, Any, str]]:
    """Site, outline and type of each example: a label speaks before seeds do."""
    labels = Label.objects.filter(state=Label.State.VERIFIED).exclude(**{axis: None})
    yield from labels.values_list("site_id", "geometry", f"{axis}__code")
    if truth == "seeds":
        yield from typed_by_seeds(axis=axis).values_list("pk", "footprint", f"{axis}__code")


def _subject(site: Site, outline: Any, code: str, scenes: tuple[int, ...]) -> Subject:
    return Subject(
        key=site.pk,
        outline=bytes(outline.wkb).hex(),
        point=(site.point.x, site.point.y),
        region=site.region.name if site.region else "",
        scenes=scenes,
        given=code,
    )


def _with_scenes(site_ids: Sequence[int]) -> Iterator[tuple[Site, list[Scene]]]:
    for start in range(0, len(site_ids), _AT_ONCE):
        part = site_ids[start : start + _AT_ONCE]
        sites = Site.objects.select_related("region").defer("region__geom").in_bulk(part)
        ordered = [sites[pk] for pk in part if pk in sites]
        under = scenes_under(ordered)
        yield from ((site, under.get(site.pk, [])) for site in ordered)


def all_points() -> list[float]:
    """Longitude and latitude of each site that people have not rejected, one after the other."""
    points = Site.objects.exclude(state=Site.State.REJECTED).order_by("pk").values_list("point", flat=True)
    return [round(degrees, 6) for point in points.iterator(chunk_size=5000) for degrees in (point.x, point.y)]
