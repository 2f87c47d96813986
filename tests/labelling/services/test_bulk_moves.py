"""Outlines that lie beside their mines are moved together, and lie as they did when that is taken back."""

import pytest
import shapely
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadInput
from labelling.models import Decision, Site
from labelling.models.spatial import to_shapely
from labelling.services.bulk import Wish, phrase_of, preview_bulk, preview_moves, start_bulk, undo_bulk
from labelling.services.decisions import check_decisions
from labelling.services.sites import place_claims
from tests.bulks import CLOUD, PITS, counts, done, drawn_up, notes, sites_now, states
from tests.cast import Cast
from tests.mines import a_campaign, a_site, a_source, decide, drawn, some_sites

pytestmark = pytest.mark.django_db
GEOD = Geod(ellps="WGS84")
AWAY = Wish("shift", east=30, north=-40, comment="the mosaic of 2019 is off")


def outlines(sites: list[Site]) -> list[BaseGeometry]:
    return [to_shapely(site.footprint) for site in sites_now(sites)]


def metres(before: BaseGeometry, after: BaseGeometry) -> float:
    start, end = before.centroid, after.centroid
    return float(GEOD.inv(start.x, start.y, end.x, end.y)[2])


def test_verified_outlines_and_those_rejected_as_offset_move_and_come_back(cast: Cast) -> None:
    sites = some_sites(3, types=PITS)
    decide(cast.ana, sites[0], "fix", types={"feature": "pond"}, geometry=drawn(side=0.02))
    decide(cast.ana, sites[1], "reject", reason="offset")
    decide(cast.ben, sites[2])
    before = outlines(sites)
    rows = list(sites_now(sites).values("state", "feature__code", "footprint", "point", "cell", "area_ha"))
    bulk = done(cast.lea, AWAY, sites)
    assert counts(bulk) == {"done": 3}
    assert states(sites) == ["verified"] * 3
    assert [site.types() for site in sites_now(sites)] == [{"feature": "pond"}, *[{"feature": "open_pit"}] * 2]
    after = outlines(sites)
    assert [metres(*pair) for pair in zip(before, after, strict=True)] == pytest.approx([50] * 3, abs=0.01)
    assert all(new.centroid.x > old.centroid.x for old, new in zip(before, after, strict=True))
    assert all(new.centroid.y < old.centroid.y for old, new in zip(before, after, strict=True))
    for site in sites_now(sites):
        assert to_shapely(site.footprint).contains(to_shapely(site.point))
    said = Decision.objects.filter(reviewer=cast.lea)
    assert set(said.values_list("verdict", "as_lead", "comment")) == {("fix", True, AWAY.comment)}
    assert check_decisions().faults == ()
    undo_bulk(user=cast.ada, bulk=bulk)
    assert counts(bulk) == {"undone": 3}
    again = list(sites_now(sites).values("state", "feature__code", "footprint", "point", "cell", "area_ha"))
    assert again == rows
    assert Decision.objects.count() == 9, "nothing is deleted: three, three that move, three that take it back"


def test_what_nobody_has_judged_and_what_has_no_outline_is_left_where_it_lies(cast: Cast) -> None:
    sites = some_sites(5, types=PITS)
    decide(cast.ana, sites[1], "unsure")
    decide(cast.ana, sites[2], "reject", reason="not_a_mine")
    decide(cast.ana, sites[3])
    Site.objects.filter(pk=sites[3].pk).update(area_ha=0)
    decide(cast.ana, sites[4])
    bulk = done(cast.lea, AWAY, sites)
    assert notes(bulk) == {
        sites[0].pk: "to review: reviewers see to its outline",
        sites[1].pk: "contested: settle it first",
        sites[2].pk: "rejected, and not as offset",
        sites[3].pk: "a point has no outline",
    }
    assert (counts(bulk), states(sites)) == (
        {"skipped": 4, "done": 1},
        ["open", "contested", "rejected", "verified", "verified"],
    )


@pytest.mark.parametrize("undo", [False, True])
def test_done_twice_an_outline_moves_once(cast: Cast, undo: bool) -> None:
    """As after a worker's death: the decisions stand, and what was noted of them is lost."""
    site = a_site()
    decide(cast.ana, site)
    bulk = done(cast.lea, AWAY, [site])
    if undo:
        undo_bulk(user=cast.lea, bulk=bulk)
    [there], made = outlines([site]), Decision.objects.count()
    bulk.items.update(outcome="done" if undo else "waiting")
    (undo_bulk if undo else start_bulk)(user=cast.lea, bulk=bulk)
    assert (counts(bulk), Decision.objects.count()) == ({"undone" if undo else "done": 1}, made)
    assert outlines([site]) == [there]


def test_what_somebody_drew_since_is_not_moved(cast: Cast) -> None:
    site = a_site()
    decide(cast.ana, site)
    bulk = drawn_up(cast.lea, AWAY, [site])
    decide(cast.lea, site, "fix", geometry=drawn(side=0.03))
    start_bulk(user=cast.lea, bulk=bulk)
    assert notes(bulk) == {site.pk: "somebody has decided on it since the preview"}
    assert outlines([site])[0].bounds[2] - outlines([site])[0].bounds[0] == pytest.approx(0.03)


def test_the_preview_draws_both_places_and_changes_nothing(cast: Cast) -> None:
    from labelling.core.matching import ClaimSpec

    fiji = shapely.MultiPolygon([shapely.box(179.995, -17, 180, -16.99), shapely.box(-180, -17, -179.99, -16.99)])
    site = place_claims(source=a_source(), claims=[ClaimSpec("Fiji", fiji)]).proposals[0].site
    decide(cast.ana, site)
    bulk = drawn_up(cast.lea, Wish("shift", east=-1000, north=1000), [site])
    [move] = preview_moves(bulk=bulk, sites=preview_bulk(bulk=bulk).sample)
    before, after = (shapely.geometry.shape(value) for value in (move.before, move.after))
    assert move.site == site
    for drawn_at in (before, after):
        assert 179.9 < drawn_at.bounds[0] < drawn_at.bounds[2] < 180.1, "side by side, not around the Earth"
    assert metres(before, after) == pytest.approx(2**0.5 * 1000, rel=1e-3)
    assert outlines([site]) == [fiji]
    start_bulk(user=cast.lea, bulk=bulk)
    assert counts(bulk) == {"done": 1}
    assert preview_moves(bulk=drawn_up(cast.lea, CLOUD, [site]), sites=[site]) == []


def test_an_outline_that_no_decision_takes_is_left_out_with_the_reason(cast: Cast) -> None:
    site = a_site()
    decide(cast.ana, site)
    many = shapely.Point(0, 0).buffer(0.1, quad_segs=2_600)
    Site.objects.filter(pk=site.pk).update(footprint=many.wkt)
    bulk = done(cast.lea, AWAY, [site])
    assert counts(bulk) == {"skipped": 1}
    assert "at most 10000 are taken" in notes(bulk)[site.pk]


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (Wish("shift"), "how many metres"),
        (Wish("shift", east=float("nan"), north=1), "how many metres"),
        (Wish("shift", east=float("inf")), "how many metres"),
        (Wish("shift", north=-1000.5), "at most 1000 metres"),
    ],
)
def test_no_way_and_too_far_are_refused(cast: Cast, wish: Wish, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        drawn_up(cast.lea, wish, some_sites(1))


def test_the_way_is_told_in_words(cast: Cast) -> None:
    a_campaign()
    sites = some_sites(1)
    ways = ((30, -40), (-12.5, 0), (0, 7))
    assert [
        phrase_of(bulk=drawn_up(cast.lea, Wish("shift", east=east, north=north), sites)) for east, north in ways
    ] == [
        "move 30 m east and 40 m south",
        "move 12.5 m west",
        "move 7 m north",
    ]
