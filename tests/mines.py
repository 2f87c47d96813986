"""Sites, sources and campaigns for the tests, small and geographic."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import shapely
from django.contrib.auth.models import User
from django.contrib.gis.geos import GEOSGeometry

from labelling.core.matching import ClaimSpec, Types
from labelling.models import Campaign, Site, Source
from labelling.models.spatial import to_geos
from labelling.services.campaigns import Terms, create_campaign
from labelling.services.decisions import Receipt, Submission, submit_decision
from labelling.services.sites import place_claims

HERE = (-44.1, -20.1)


def square(lon: float = HERE[0], lat: float = HERE[1], *, side: float = 0.01) -> shapely.Polygon:
    """A square with its lower left corner at a place."""
    return shapely.box(lon, lat, lon + side, lat + side)


def drawn(lon: float = HERE[0], lat: float = HERE[1], *, side: float = 0.01) -> GEOSGeometry:
    return to_geos(square(lon, lat, side=side))


def a_source(name: str = "Tailings of Minas", **more: object) -> Source:
    source, _ = Source.objects.get_or_create(name=name, defaults={"kind": "labelled", "licence": "CC-BY-4.0", **more})
    return source


def some_sites(
    count: int, *, types: Types | None = None, source: Source | None = None, scores: Sequence[float | None] = ()
) -> list[Site]:
    """Sites in a row, 0.05 degrees apart, the first of the highest priority."""
    specs = [
        ClaimSpec(f"row {index}", square(HERE[0] + 0.05 * index), types=types or {}, score=score)
        for index, score in enumerate(scores or [None] * count)
    ]
    placed = place_claims(source=source or a_source(), claims=specs)
    ids = [proposal.site_id for proposal in placed.proposals]
    for place, pk in enumerate(ids):
        Site.objects.filter(pk=pk).update(priority=count - place)
    return [Site.objects.get(pk=pk) for pk in ids]


def a_site(**more: object) -> Site:
    return some_sites(1, **more)[0]  # type: ignore[arg-type]


def a_campaign(name: str = "Minas", **more: object) -> Campaign:
    return create_campaign(terms=Terms(name, **more))  # type: ignore[arg-type]


def decide(
    user: User, site: Site | int | None, verdict: str = "accept", *, key: UUID | None = None, **more: object
) -> Receipt:
    """Decide on a site at the version that it has now, unless ``base_version`` says otherwise."""
    pk = site.pk if isinstance(site, Site) else site
    if "base_version" not in more and pk is not None:
        more["base_version"] = Site.objects.values_list("version", flat=True).get(pk=pk)
    submission = Submission(key=key or uuid4(), verdict=verdict, site_id=pk, **more)  # type: ignore[arg-type]
    return submit_decision(user=user, submission=submission)


def states(sites: Sequence[Site]) -> list[str]:
    return list(Site.objects.filter(pk__in=[site.pk for site in sites]).order_by("pk").values_list("state", flat=True))
