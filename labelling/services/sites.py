"""One site for the claims that speak of the same place."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from labelling.core.cells import cells_of
from labelling.core.errors import BadGeometry, BadInput
from labelling.core.geometry import KINDS, search_boxes, wrapped_boxes
from labelling.core.matching import SAME_POINT_M, ClaimSpec, Place, group_places
from labelling.core.sites import PUT_FIRST, RARE_BELOW, Evidence, Standing, judge_site, whole_reasons
from labelling.models import Label, MineType, Proposal, Scene, SeedImport, Site, Source
from labelling.models.rows import insert_rows, to_hex, update_rows
from labelling.models.spatial import ids_in_boxes, to_shapely
from labelling.models.taxonomy import Axis
from labelling.models.turns import take_turn
from labelling.services.opinions import opinions_asked
from labelling.services.regions import regions_of

_BATCH = 800
TAKEN_BACK = "its sources have taken back what they said of it: is there anything here?"
_PLACE = ["footprint", "point", "cell", "area_ha", "region"]
_DERIVED = [*_PLACE, *Axis.values, "least_opinions", "score", "name", "priority", "why", "updated_at"]


@dataclass(frozen=True)
class Placed:
    """What became of a batch of claims.

    Attributes:
        proposals: the new rows, in the order of their claims.
        sites_created: places that nobody had spoken of.
        merged: claims that joined a site that was there, or another claim's of the batch.
        known: claims that the source had made before.
    """

    proposals: tuple[Proposal, ...]
    sites_created: int
    merged: int
    known: int


@transaction.atomic
def place_claims(*, source: Source, claims: Sequence[ClaimSpec], seed_import: SeedImport | None = None) -> Placed:
    """Write claims as proposals, each on the site of its place (``labelling.core.matching`` has the rules).

    A claim that its source has made before adds nothing. A site with a verdict only gains the proposal;
    an open one is summed up anew.

    Args:
        source: who claims.
        claims: what it says; geometries in EPSG:4326, type codes of the taxonomy.
        seed_import: the import that brought them.

    Raises:
        BadInput: a type that does not exist or stands on another axis, or an identifier that is empty or too long.
        BadGeometry: a geometry that is not a valid point, polygon or multipolygon on the Earth.
    """
    mine_types = MineType.objects.in_bulk(field_name="code")
    _check_claims(claims, mine_types)
    take_turn("place claims")  # or two would make two sites of one place
    fresh = _unknown_claims(source, claims)
    known = _sites_near(fresh)
    places = group_places(list(known.values()), [Place(claim.geometry, claim.codes(Axis.FEATURE)) for claim in fresh])
    founded = _found_sites(source, fresh, places, len(known), mine_types)
    site_ids = [*known, *(site.pk for site in founded)]
    outlines = to_hex([claim.geometry for claim in fresh])
    rows = [
        _proposal(source, claim, outline, site_ids[place], seed_import)
        for claim, outline, place in zip(fresh, outlines, places, strict=True)
    ]
    insert_rows(rows)
    _refresh({site_ids[place] for place in places if place < len(known)}, mine_types)
    return Placed(tuple(rows), len(founded), len(fresh) - len(founded), len(claims) - len(fresh))


@transaction.atomic
def refresh_site(*, site: Site) -> None:
    """Sum up the proposals of an open site anew: outline, area, region, types, score, priority and why.

    A site that is not open, or that no source speaks of, stays as it is.
    """
    refresh_sites(site_ids=[site.pk])
    site.refresh_from_db()


@transaction.atomic
def refresh_sites(*, site_ids: Collection[int]) -> None:
    """Sum up the proposals of several open sites anew, as ``refresh_site`` does.

    A site whose every claim has been taken back loses its types and goes to the end of the queue.
    """
    _refresh(site_ids, MineType.objects.in_bulk(field_name="code"))


def as_proposed(
    *, sites: Sequence[Site], proposals: Mapping[int, Sequence[Proposal]], keep_turn: Collection[int] = ()
) -> None:
    """Let sites in memory, never to be saved, show what their proposals say instead of what was decided.

    Args:
        sites: all but the name of each is summed up anew; one without proposals stays as it is.
        proposals: by site, each with its source.
        keep_turn: sites that keep their score, and their place in the queue with its reasons.
    """
    spoken_of = [site for site in sites if proposals.get(site.pk)]
    if not spoken_of:
        return
    evidence = [
        [_evidence_of_proposal(one) for one in sorted(proposals[site.pk], key=lambda one: one.pk)] for site in spoken_of
    ]
    kept = {site.pk: (site.score, site.priority, site.why) for site in spoken_of if site.pk in set(keep_turn)}
    _fill(spoken_of, _judge(evidence), MineType.objects.in_bulk(field_name="code"))
    for site in spoken_of:
        site.score, site.priority, site.why = kept.get(site.pk, (site.score, site.priority, site.why))


def match_claims(*, claims: Sequence[ClaimSpec]) -> list[int]:
    """Find the site that each claim would join, and write nothing.

    Args:
        claims: geometries in EPSG:4326.

    Returns:
        The id of the site; below zero, for claims that would found one, a number for each new site.
    """
    known = _sites_near(claims)
    places = group_places(list(known.values()), [Place(claim.geometry, claim.codes(Axis.FEATURE)) for claim in claims])
    ids = list(known)
    return [ids[place] if place < len(ids) else len(ids) - 1 - place for place in places]


def _check_claims(claims: Sequence[ClaimSpec], mine_types: Mapping[str, MineType]) -> None:
    geometries = np.array([claim.geometry for claim in claims], dtype=object)
    bounds = shapely.bounds(geometries)
    on_earth = np.isfinite(bounds).all(axis=1) & (np.abs(bounds) <= [180, 90, 180, 90]).all(axis=1)
    sound = on_earth & shapely.is_valid(geometries) & ~shapely.has_z(geometries)
    for row, claim in enumerate(claims, start=1):
        if not sound[row - 1] or claim.geometry.geom_type not in KINDS:
            msg = f"claim {claim.external_id}: not a valid flat point, polygon or multipolygon in EPSG:4326"
            raise BadGeometry(msg, row=row)
        if not 0 < len(claim.external_id) <= 120:
            msg = f"its identifier has {len(claim.external_id)} characters; 1 to 120 are taken"
            raise BadInput(msg, row=row)
        for axis, offers in claim.types.items():
            for code, _ in offers:
                if code not in mine_types or mine_types[code].axis != axis:
                    msg = f"no mine type {code} on the axis {axis}"
                    raise BadInput(msg, row=row)


def _unknown_claims(source: Source, claims: Sequence[ClaimSpec]) -> list[ClaimSpec]:
    by_key: dict[tuple[str, int], ClaimSpec] = {}
    for claim in claims:
        by_key.setdefault((claim.external_id, claim.revision), claim)
    wanted = list(dict.fromkeys(external_id for external_id, _ in by_key))
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        there = Proposal.objects.filter(source=source, external_id__in=part).values_list("external_id", "revision")
        for key in there:
            by_key.pop(key, None)
    return list(by_key.values())


def _sites_near(claims: Sequence[ClaimSpec]) -> dict[int, Place]:
    """The sites that claims may belong to: those whose box touches the box of a claim."""
    if not claims:
        return {}
    bounds = search_boxes(shapely.bounds(np.array([claim.geometry for claim in claims], dtype=object)), SAME_POINT_M)
    _, boxes = wrapped_boxes(bounds)
    ids = sorted(ids_in_boxes(Site, "footprint", shapely.bounds(boxes)))
    features = dict(MineType.objects.filter(axis=Axis.FEATURE).values_list("pk", "code"))
    found = {}
    for start in range(0, len(ids), _BATCH):
        rows = Site.objects.filter(pk__in=ids[start : start + _BATCH]).order_by("pk")
        for pk, footprint, feature in rows.values_list("pk", "footprint", "feature"):
            found[pk] = Place(to_shapely(footprint), frozenset([features[feature]] if feature else []))
    return found


def _found_sites(
    source: Source,
    claims: Sequence[ClaimSpec],
    places: Sequence[int],
    first: int,
    mine_types: Mapping[str, MineType],
) -> list[Site]:
    evidence: dict[int, list[Evidence]] = defaultdict(list)
    made_up: dict[int, bool] = {}
    scenes: dict[int | None, bool] = dict(
        Scene.objects.filter(pk__in={claim.scene_id for claim in claims}).values_list("pk", "synthetic")
    )
    for claim, place in zip(claims, places, strict=True):
        if place >= first:
            evidence[place].append(_evidence_of_claim(source, claim))
            # What was seen on a scene is as real as the scene, whoever saw it.
            made_up.setdefault(place, scenes.get(claim.scene_id, source.synthetic))
    standings = _judge([evidence[place] for place in sorted(evidence)])
    sites = [Site(synthetic=made_up[place]) for place in sorted(evidence)]
    _fill(sites, standings, mine_types)
    insert_rows(sites)
    return sites


def _refresh(site_ids: Collection[int], mine_types: Mapping[str, MineType]) -> None:
    wanted = sorted(site_ids)
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        sites = {site.pk: site for site in Site.objects.select_for_update().filter(pk__in=part, state=Site.State.OPEN)}
        evidence: dict[int, list[Evidence]] = defaultdict(list)
        for proposal in Proposal.objects.standing().filter(site__in=sites).select_related("source").order_by("pk"):
            evidence[proposal.site_id].append(_evidence_of_proposal(proposal))
        spoken_of = [sites[pk] for pk in evidence]
        _fill(spoken_of, _judge(list(evidence.values())), mine_types)
        update_rows(spoken_of, _DERIVED)
        _fall_silent([pk for pk in sites if pk not in evidence])


def _fall_silent(site_ids: Sequence[int]) -> None:
    taken_back = Proposal.objects.filter(site=OuterRef("pk"), retirement__isnull=False).order_by()
    nothing: dict[str, Any] = dict.fromkeys([*Axis.values, "score"])
    Site.objects.filter(Exists(taken_back), pk__in=site_ids).update(
        **nothing, priority=-1.0, why=TAKEN_BACK, updated_at=timezone.now()
    )


def _judge(evidence: Sequence[Sequence[Evidence]]) -> list[Standing]:
    claimed = {
        (axis, offers[0][0])
        for claims in evidence
        for claim in claims
        for axis, offers in claim.types.items()
        if offers
    }
    rare = _rare_types(claimed)
    return [judge_site(claims, rare=rare) for claims in evidence]


def _rare_types(claimed: Iterable[tuple[str, str]]) -> set[str]:
    verified = Label.objects.filter(state=Label.State.VERIFIED)
    by_axis = {
        Axis.FEATURE.value: lambda code: verified.filter(feature__code=code),
        Axis.COMMODITY.value: lambda code: verified.filter(commodity__code=code),
        Axis.METHOD.value: lambda code: verified.filter(method__code=code),
    }
    return {code for axis, code in claimed if by_axis[axis](code)[:RARE_BELOW].count() < RARE_BELOW}


def _fill(sites: Sequence[Site], standings: Sequence[Standing], mine_types: Mapping[str, MineType]) -> None:
    regions = regions_of([standing.point for standing in standings])
    asked = opinions_asked(footprints=[standing.footprint for standing in standings])
    cells = cells_of([one.point.x for one in standings], [one.point.y for one in standings]).tolist()
    axes = Axis.values
    footprints, points = to_hex([one.footprint for one in standings]), to_hex([one.point for one in standings])
    derived = zip(sites, standings, footprints, points, cells, regions, asked, strict=True)
    for site, standing, footprint, point, cell, region, least in derived:
        site.least_opinions = max(site.least_opinions, least)
        site.footprint, site.point, site.cell = footprint, point, cell
        site.area_ha, site.region, site.score = standing.area_ha, region, standing.score
        for axis in axes:
            setattr(site, axis, mine_types.get(standing.types.get(axis, "")))
        site.name = standing.name[:200] or site.name
        if site.priority < PUT_FIRST:
            site.priority, site.why = standing.priority, whole_reasons(standing.why)
        site.updated_at = timezone.now()


def _evidence_of_claim(source: Source, claim: ClaimSpec) -> Evidence:
    return Evidence(
        source.pk, source.kind, claim.geometry, claim.types, claim.score, is_mine=claim.is_mine, name=claim.name
    )


def _evidence_of_proposal(proposal: Proposal) -> Evidence:
    types = {axis: tuple((code, score) for code, score in offers) for axis, offers in proposal.types.items()}
    return Evidence(
        proposal.source_id,
        proposal.source.kind,
        to_shapely(proposal.geometry),
        types,
        proposal.score,
        is_mine=proposal.is_mine,
    )


def _proposal(source: Source, claim: ClaimSpec, outline: Any, site_id: int, seed_import: SeedImport | None) -> Proposal:
    return Proposal(
        site_id=site_id,
        source=source,
        external_id=claim.external_id,
        revision=claim.revision,
        geometry=outline,
        types={axis: [list(offer) for offer in offers] for axis, offers in claim.types.items()},
        score=claim.score,
        is_mine=claim.is_mine,
        scene_id=claim.scene_id,
        seed_import=seed_import,
        properties=dict(claim.properties),
    )
