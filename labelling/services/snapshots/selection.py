"""What goes into a snapshot, read from the database as it was at one moment."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC

import shapely
from django.db.models import Max
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadInput
from labelling.core.export import ExportLabel, ExportSettings, Licence
from labelling.core.export_chips import Ground
from labelling.core.geometry import inner_point
from labelling.core.globe import circle_on_ground
from labelling.models import Campaign, Decision, Label, MineType, Proposal, Region, ReviewedArea, Scene, Source
from labelling.models.spatial import to_shapely
from labelling.models.taxonomy import Axis
from labelling.services.reading import consistent_read

# Rejected for these reasons, the ground is what any other ground is; for all others a mine may be there.
BACKGROUND = (Decision.Reason.NOT_A_MINE, Decision.Reason.DUPLICATE)
# A mine known only as a point reaches somewhere around it: this much is black on a chip.
POINT_M = 250.0
# The source of a person bears the person's name, which stays here.
PEOPLE = "drawn by reviewers"
NO_OUTLINE = "known only as a point"
NO_TYPE = "without a type on this axis"
OUTSIDE = "outside every reviewed area"


@dataclass(frozen=True)
class Picture:
    """A scene that chips may be cut from."""

    scene: Scene
    footprint: BaseGeometry


@dataclass(frozen=True)
class Selection:
    """All that an export is written from.

    Attributes:
        labels: those to export.
        ground: what people said of the ground; only where chips are wanted.
        reviewed_on: for each reviewed area the scene on which it was reviewed, or None.
        pictures: scenes with the bands, best first; only where chips are wanted.
        classes: codes of the types on the axis, in the order of the taxonomy.
        licences: by the name of the source.
        last_decision: id of the newest decision.
        left_out: labels that were asked for but cannot be on a chip, by reason.
    """

    labels: tuple[ExportLabel, ...]
    ground: Ground
    reviewed_on: tuple[int | None, ...]
    pictures: tuple[Picture, ...]
    classes: tuple[str, ...]
    licences: dict[str, Licence]
    last_decision: int
    left_out: Counter[str]


def select_labels(*, settings: ExportSettings) -> Selection:
    """Read what an export needs.

    Raises:
        BadInput: a campaign, type, region or band that there is none of, or nothing to export.
    """
    with consistent_read():
        _check(settings)
        return _select(settings)


def _check(settings: ExportSettings) -> None:
    if settings.axis not in Axis.values:
        msg = f"no axis {settings.axis!r}: use {', '.join(Axis.values)}"
        raise BadInput(msg)
    if settings.campaign and not Campaign.objects.filter(slug=settings.campaign).exists():
        known = ", ".join(Campaign.objects.values_list("slug", flat=True)) or "there is none"
        msg = f"no campaign {settings.campaign!r}: {known}"
        raise BadInput(msg)
    types = set(MineType.objects.filter(axis=settings.axis).values_list("code", flat=True))
    if unknown := sorted(set(settings.types) - types):
        msg = f"no type {', '.join(unknown)} on the axis {settings.axis}: it has {', '.join(sorted(types))}"
        raise BadInput(msg)
    regions = set(Region.objects.filter(eco_id__in=settings.regions).values_list("eco_id", flat=True))
    if missing := sorted(set(settings.regions) - regions):
        msg = f"no region numbered {', '.join(map(str, missing))}"
        raise BadInput(msg)


def _select(settings: ExportSettings) -> Selection:
    sources: dict[int, set[str]] = defaultdict(set)
    claims = Proposal.objects.order_by().values_list("site_id", "source__name", "source__kind").distinct()
    for site, source, kind in claims:
        sources[site].add(PEOPLE if kind == Source.Kind.PERSON else source)
    rows = Label.objects.select_related("site__region", "decision__campaign", *Axis.values).defer("site__region__geom")
    wanted: list[ExportLabel] = []
    others: list[BaseGeometry] = []
    for row in rows.order_by("site_id").iterator(2000):
        if _is_wanted(row, settings):
            wanted.append(_export_label(row, tuple(sorted(sources[row.site_id]))))
        elif settings.has_chips and not (row.state == Label.State.REJECTED and row.reason in BACKGROUND):
            others.append(_reach(to_shapely(row.geometry)))
    areas = ReviewedArea.objects.filter(axis=settings.axis, revoked_at=None).order_by("pk")
    reviewed = [(to_shapely(area.geometry), area.scene_id) for area in areas] if settings.has_chips else []
    left_out: Counter[str] = Counter()
    labels = wanted
    if settings.has_chips:
        labels, aside = _fit_for_chips(wanted, [area for area, _ in reviewed], settings.axis, left_out)
        others += aside
    if not labels:
        raise BadInput(_nothing(settings, left_out))
    names = {name for label in labels for name in label.sources}
    return Selection(
        labels=tuple(labels),
        ground=Ground([area for area, _ in reviewed], labels, others),
        reviewed_on=tuple(scene for _, scene in reviewed),
        pictures=tuple(_pictures(settings)) if settings.has_chips else (),
        classes=_classes(labels, settings.axis),
        licences=_licences(names),
        last_decision=Decision.objects.aggregate(newest=Max("pk"))["newest"] or 0,
        left_out=left_out,
    )


def _licences(names: set[str]) -> dict[str, Licence]:
    found = {
        source.name: Licence(source.name, source.kind, source.licence, source.citation)
        for source in Source.objects.filter(name__in=names).exclude(kind=Source.Kind.PERSON)
    }
    if PEOPLE in names:
        people = Source.objects.filter(kind=Source.Kind.PERSON)
        terms = sorted({source.licence for source in people} - {""})
        found[PEOPLE] = Licence(PEOPLE, Source.Kind.PERSON, "; ".join(terms), "")
    return found


def _is_wanted(row: Label, settings: ExportSettings) -> bool:
    code = row.types().get(settings.axis)
    region = row.site.region.eco_id if row.site.region else None
    campaign = row.decision.campaign.slug if row.decision.campaign else ""
    return (
        row.state in settings.states
        and (not settings.types or code in settings.types)
        and (not settings.regions or region in settings.regions)
        and (not settings.campaign or campaign == settings.campaign)
    )


def _export_label(row: Label, sources: tuple[str, ...]) -> ExportLabel:
    region = row.site.region
    return ExportLabel(
        site=row.site_id,
        geometry=to_shapely(row.geometry),
        state=row.state,
        reason=row.reason,
        types=row.types(),
        name=row.site.name,
        area_ha=row.site.area_ha,
        region=region.name if region else "",
        biome=region.biome if region else "",
        realm=region.realm if region else "",
        eco_id=region.eco_id if region else None,
        decided_by=f"reviewer-{row.decision.reviewer_id}",
        decided_at=row.decided_at.astimezone(UTC).isoformat(timespec="seconds"),
        level="lead" if row.decision.as_lead else f"{row.reviews} review{'s' if row.reviews > 1 else ''}",
        decision=row.decision_id,
        version=row.site.version,
        sources=sources,
        synthetic=row.site.synthetic,
    )


def _reach(geometry: BaseGeometry) -> BaseGeometry:
    if shapely.get_dimensions(geometry) == 2:
        return geometry
    place = inner_point(geometry)
    return circle_on_ground(place.x, place.y, POINT_M)


def _fit_for_chips(
    wanted: Iterable[ExportLabel], reviewed: list[BaseGeometry], axis: str, left_out: Counter[str]
) -> tuple[list[ExportLabel], list[BaseGeometry]]:
    """Labels that can be on a chip, and the ground of those that cannot."""
    tree = shapely.STRtree(reviewed)
    fit, aside = [], []
    for label in wanted:
        inside = len(tree.query(inner_point(label.geometry), predicate="intersects"))
        faults = {
            NO_OUTLINE: shapely.get_dimensions(label.geometry) < 2,
            NO_TYPE: axis not in label.types,
            OUTSIDE: not inside,
        }
        fault = next((fault for fault, is_so in faults.items() if is_so), None)
        if fault is None:
            fit.append(label)
        else:
            left_out[fault] += 1
            aside.append(_reach(label.geometry))
    return fit, aside


def _nothing(settings: ExportSettings, left_out: Counter[str]) -> str:
    told = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
    if told:
        return f"no label can be on a chip: {told}. Complete windows in the review (key C), or export geojson"
    return f"no label with the states {', '.join(settings.states)} matches: review sites first, or ask for more"


def _pictures(settings: ExportSettings) -> list[Picture]:
    scenes = [
        scene
        for scene in Scene.objects.order_by("-kind", "-acquired_at", "name", "pk")
        if set(settings.bands) <= set(scene.bands)
    ]
    if not scenes:
        msg = f"no scene has the bands {', '.join(settings.bands)}: import one, or name other bands"
        raise BadInput(msg)
    scenes.sort(key=lambda scene: -scene.usable)
    return [Picture(scene, to_shapely(scene.footprint)) for scene in scenes]


def _classes(labels: Iterable[ExportLabel], axis: str) -> tuple[str, ...]:
    there = {label.types[axis] for label in labels if axis in label.types}
    known = MineType.objects.filter(axis=axis, code__in=there).order_by("rank", "code")
    return tuple(known.values_list("code", flat=True))
