"""What a card is made of is what Django would have read."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from labelling.models import Decision, MineType, Proposal, Retirement, Scene, Site, Source
from labelling.models.spatial import to_shapely
from labelling.services.comments import add_comment
from labelling.services.item_rows import read_mine_types, read_proposals, read_scenes, spoken_of
from labelling.services.scenes import import_scenes
from tests.cast import Cast
from tests.mines import a_source, decide, drawn, some_sites
from tests.scenes import make_scene

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]


def quiet_site() -> Site:
    """One that no source speaks of."""
    return Site.objects.create(footprint=drawn(), point=drawn().centroid)


def claim(source: Source, *, score: float | None = None, **more: Any) -> Proposal:
    number = Proposal.objects.count()
    return Proposal.objects.create(
        source=source,
        external_id=f"no. {number}",
        geometry=drawn(),
        score=score,
        types={"feature": [["pond", score]]},
        **more,
    )


def test_proposals_come_with_their_sources_the_best_first(django_assert_num_queries: Any) -> None:
    site, other = quiet_site(), quiet_site()
    seeds, model = a_source(), a_source("pits 3", kind=Source.Kind.MODEL)
    said = [claim(seeds, site=site, score=score) for score in (None, 0.2, 0.9)] + [claim(model, site=site, score=0.5)]
    claim(seeds, site=other)
    with django_assert_num_queries(1):
        found = read_proposals([site.pk])
        assert [one.pk for one in found] == [said[index].pk for index in (2, 3, 1, 0)]
        assert [(one.source.name, one.source.kind, one.site_id) for one in found[1:3]] == [
            ("pits 3", "model", site.pk),
            (seeds.name, seeds.kind, site.pk),
        ]
        kept = {one.pk: one for one in said}
        for one in found:
            assert (one.types, one.score, one.is_mine) == (kept[one.pk].types, kept[one.pk].score, True)
            assert to_shapely(one.geometry).equals_exact(to_shapely(drawn()), 1e-12)


def test_only_what_a_model_notes_says_why(django_assert_num_queries: Any) -> None:
    site = quiet_site()
    for kind in (Source.Kind.MODEL, Source.Kind.LABELLED):
        claim(a_source(f"a {kind}", kind=kind), site=site, properties={"note": f"says the {kind}", "id": 7})
    claim(a_source("silent", kind=Source.Kind.MODEL), site=site)
    with django_assert_num_queries(1):
        assert [vars(one)["note"] for one in read_proposals([site.pk])] == ["says the model", "", ""]


def test_what_a_source_took_back_is_left_out() -> None:
    site = quiet_site()
    stays, gone = (claim(a_source(name), site=site) for name in ("one", "two"))
    Retirement.objects.create(proposal=gone)
    assert read_proposals([site.pk]) == [stays]


def test_the_types_of_an_axis_stand_in_their_order(django_assert_num_queries: Any) -> None:
    known = list(MineType.objects.filter(axis="commodity").order_by("rank", "code"))
    with django_assert_num_queries(1):
        found = read_mine_types("commodity")
        assert [(one.code, one.name, one.color, one.rank) for one in found] == [
            (one.code, one.name, one.color, one.rank) for one in known
        ]


def test_scenes_of_a_box_are_whole_and_newest_first(
    tmp_path: Any, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.SCENE_ROOTS = [tmp_path]
    scenes = import_scenes(paths=[make_scene(tmp_path / f"{day}.tif", seed=day) for day in (3, 9, 5)]).added
    for scene in scenes:
        Scene.objects.filter(pk=scene.pk).update(acquired_at=datetime(2024, 5, int(scene.name), tzinfo=UTC))
    west, south, east, north = to_shapely(scenes[0].footprint).bounds
    with django_assert_num_queries(2):
        found = read_scenes(np.array([[west, south, east, north], [west, south, east, north]]))
    assert [one.pk for one in found] == [one.pk for one in Scene.objects.newest_first()]
    assert [one.acquired_at.day for one in found if one.acquired_at] == [9, 5, 3]
    kept = {one.pk: one for one in Scene.objects.all()}
    for one in found:
        assert one.ref() == kept[one.pk].ref()
        assert one.outline.equals_exact(to_shapely(kept[one.pk].footprint), 1e-12)
    assert read_scenes(np.array([[west - 2, south, west - 1, north]])) == []


def test_who_was_decided_on_and_who_was_talked_of(cast: Cast) -> None:
    quiet, decided, talked, both = some_sites(4)
    for site in (decided, both):
        decide(cast.ana, site)
    for site in (talked, both):
        add_comment(user=cast.ben, site=site, key=uuid4(), text="look at the dam")
    on, of = spoken_of([quiet.pk, decided.pk, talked.pk, both.pk])
    assert (sorted(on), sorted(of)) == ([decided.pk, both.pk], [talked.pk, both.pk])
    assert Decision.objects.count() == 2
