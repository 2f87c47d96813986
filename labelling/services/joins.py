"""Types by neighbourhood: typed seeds and verified sites next to a site without a type propose theirs."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from django.db.models import Exists, OuterRef

from labelling.core.geometry import search_boxes
from labelling.core.joining import REACH_M, Neighbour, Rate, TypedPlace, measure_rates, nearest_typed
from labelling.core.taxonomy import in_words
from labelling.models import Label, Proposal, Site, Source
from labelling.models.site import SiteQuerySet
from labelling.models.spatial import in_box, to_shapely
from labelling.services.type_offers import Offered, TypeOffer, offer_types

NAMING = (Source.Kind.COBALT, Source.Kind.LABELLED, Source.Kind.PERSON)
"""Kinds of sources whose word on a type is taken from the ground, not from a model."""
VERIFIED = "verified by people"


@dataclass(frozen=True)
class Joined:
    """What the neighbourhood said: the proposals, and how often it was right where the type is known."""

    offered: Offered
    rates: Mapping[str, Rate]


def untyped_sites(*, axis: str) -> SiteQuerySet:
    """Open sites of which no person and no seed names a type on an axis; models may have."""
    return Site.objects.filter(state=Site.State.OPEN).exclude(_named(axis))


def typed_by_seeds(*, axis: str) -> SiteQuerySet:
    """Open sites whose type on an axis a person or a typed seed names."""
    return Site.objects.filter(_named(axis), state=Site.State.OPEN).exclude(**{axis: None})


def _named(axis: str) -> Exists:
    said = Proposal.objects.standing().filter(site=OuterRef("pk"), is_mine=True, source__kind__in=NAMING)
    return Exists(said.filter(types__has_key=axis).order_by())


def join_types(*, axis: str, site_ids: Sequence[int]) -> Joined:
    """Propose to sites without a type that of the nearest typed place, with distance and overlap as evidence.

    The probability is how often such a neighbour, as near as this one, was right among the typed places around.

    Args:
        axis: of the types.
        site_ids: the sites; those that a person or a seed has named the type of are passed over.
    """
    source, _ = Source.objects.get_or_create(
        name=f"Typed neighbours: {axis}",
        defaults={"kind": Source.Kind.MODEL, "citation": "spatial join with typed seeds and verified sites"},
    )
    # In the order of the ids: whoever is nearest does not hang on what the database gives first.
    rows = untyped_sites(axis=axis).filter(pk__in=site_ids).order_by("pk").values_list("pk", "footprint")
    sites = {pk: to_shapely(footprint) for pk, footprint in rows}
    places = _typed_near(axis, sites)
    rates = measure_rates(places)
    near = nearest_typed(list(sites), list(sites.values()), places)
    offers = [
        TypeOffer(pk) if one is None else _offer(pk, one, places[one.place], rates.get(one.band, Rate()))
        for pk, one in zip(sites, near, strict=True)
    ]
    return Joined(offer_types(source=source, axis=axis, offers=offers), rates)


def _offer(site_id: int, one: Neighbour, place: TypedPlace, rate: Rate) -> TypeOffer:
    ground = f"covers {one.overlap:.0%} of it" if one.overlap > 0 else f"stands {one.distance_m:.0f} m away"
    said = f"{in_words(place.code)} of {place.source} {ground}"
    evidence = {
        "note": f"{said}; neighbours {one.band} name the same type in {rate.right} of {rate.of} known cases",
        "site": place.site,
        "source": place.source,
        "claim": place.claim,
        "distance_m": round(one.distance_m, 1),
        "overlap": round(one.overlap, 3),
        "right": rate.right,
        "of": rate.of,
    }
    return TypeOffer(site_id, ((place.code, rate.share),), evidence)


def _typed_near(axis: str, sites: Mapping[int, shapely.geometry.base.BaseGeometry]) -> list[TypedPlace]:
    if not sites:
        return []
    bounds = search_boxes(shapely.bounds(np.asarray(list(sites.values()), dtype=object)), REACH_M)
    squares = defaultdict(list)
    for index, square in enumerate(map(tuple, np.floor(bounds[:, :2]).tolist())):
        squares[square].append(index)
    found: dict[tuple[int, str, str], TypedPlace] = {}
    for members in squares.values():
        west, south = bounds[members, :2].min(axis=0).tolist()
        east, north = bounds[members, 2:].max(axis=0).tolist()
        for place in _typed_in(axis, (west, south, east, north)):
            found[place.site, place.source, place.claim] = place
    return [found[key] for key in sorted(found)]


def _typed_in(axis: str, box: tuple[float, float, float, float]) -> Iterator[TypedPlace]:
    labels = Label.objects.filter(in_box(Label, "geometry", box), state=Label.State.VERIFIED).exclude(**{axis: None})
    for site, geometry, code in labels.values_list("site_id", "geometry", f"{axis}__code"):
        yield TypedPlace(site, to_shapely(geometry), code, VERIFIED)
    claims = Proposal.objects.standing().filter(in_box(Proposal, "geometry", box), is_mine=True)
    # A verified site speaks by its label, a rejected one not at all.
    claims = claims.filter(source__kind__in=NAMING, types__has_key=axis)
    claims = claims.exclude(site__state__in=(Site.State.VERIFIED, Site.State.REJECTED))
    for site, geometry, types, name, claim in claims.values_list(
        "site_id", "geometry", "types", "source__name", "external_id"
    ):
        if types[axis]:
            yield TypedPlace(site, to_shapely(geometry), types[axis][0][0], name, claim)
