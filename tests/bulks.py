"""Actions on many sites, drawn up and done in one line."""

from django.contrib.auth.models import User
from django.db.models import QuerySet

from labelling.models import BulkAction, Site
from labelling.services.bulk import (
    Wish,
    draw_up_bulk,
    outcomes_of,
    start_bulk,
)

CLOUD = Wish("reject", reason="cloud", comment="all under one cloud")
PIT = Wish("type", type="open_pit")
PITS = {"feature": (("open_pit", None),)}


def sites_now(sites: list[Site]) -> QuerySet[Site]:
    return Site.objects.filter(pk__in=[site.pk for site in sites]).order_by("pk")


def states(sites: list[Site]) -> list[str]:
    return list(sites_now(sites).values_list("state", flat=True))


def drawn_up(user: User, wish: Wish, sites: list[Site]) -> BulkAction:
    return draw_up_bulk(user=user, wish=wish, sites=Site.objects.filter(pk__in=[site.pk for site in sites]))


def done(user: User, wish: Wish, sites: list[Site]) -> BulkAction:
    bulk = drawn_up(user, wish, sites)
    start_bulk(user=user, bulk=bulk)
    bulk.refresh_from_db()
    return bulk


def counts(bulk: BulkAction) -> dict[str, int]:
    return {outcome: count for outcome, count in outcomes_of(bulks=[bulk])[0].items() if count}


def notes(bulk: BulkAction) -> dict[int, str]:
    return dict(bulk.items.exclude(note="").values_list("site_id", "note"))
