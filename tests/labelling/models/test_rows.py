"""Rows written many at a time are those that Django would have written one by one."""

import uuid
from typing import Any, cast

import numpy as np
import pytest
import shapely
from django.contrib.auth.models import User
from django.contrib.gis.geos import GEOSGeometry
from django.db import IntegrityError
from django.utils import timezone

from labelling.models import Decision, Label, Proposal, Site
from labelling.models.rows import insert_row, insert_rows, to_hex, update_rows
from labelling.models.spatial import cell_at, ids_in_boxes, to_geos
from tests.mines import a_site, a_source, square

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]


def some_rows(count: int) -> list[Site]:
    rows = []
    for number in range(count):
        outline = square(0.1 * number)
        footprint, point = to_hex([outline, outline.centroid])
        site = Site(footprint=footprint, point=point, name=f"no. {number}", score=number / 10)
        site.cell = cell_at(to_geos(outline.centroid))  # type: ignore[arg-type]
        rows.append(site)
    return rows


def test_what_is_written_is_read_back() -> None:
    before = timezone.now()
    rows = some_rows(3)
    insert_rows(rows)
    kept = list(Site.objects.order_by("pk"))
    assert [site.pk for site in kept] == [site.pk for site in rows]
    for one, other in zip(rows, kept, strict=True):
        assert (other.footprint, other.point) == (one.footprint, one.point)
        assert (other.footprint.srid, other.cell, other.name, other.score) == (4326, one.cell, one.name, one.score)
        assert (other.state, other.feature, other.synthetic) == ("open", None, False)
        assert before <= other.created_at == other.updated_at <= timezone.now()


def test_documents_and_nothing_are_kept_as_they_are() -> None:
    (site,) = some_rows(1)
    insert_rows([site])
    types = {"feature": [["pond", 0.5], ["open_pit", None]]}
    [outline] = to_hex([square()])
    proposal = Proposal(site=site, source=a_source(), external_id="ö'1", geometry=outline, types=types, properties={})
    insert_rows([proposal])
    kept = Proposal.objects.get()
    assert kept == proposal
    assert (kept.types, kept.properties, kept.score, kept.scene, kept.external_id) == (types, {}, None, None, "ö'1")
    with pytest.raises(TypeError, match="append-only"):
        proposal.save()


def test_ids_go_on_where_they_were_and_django_goes_on_from_there() -> None:
    outline = to_geos(square())
    first = Site.objects.create(footprint=outline, point=outline.centroid)
    rows = some_rows(5)
    insert_rows(rows)
    last = Site.objects.create(footprint=outline, point=outline.centroid)
    ids = [first.pk, *(row.pk for row in rows), last.pk]
    assert ids == sorted(set(ids))
    assert Site.objects.count() == 7


def test_only_the_named_fields_of_the_given_rows_change() -> None:
    one, two = rows = some_rows(2)
    insert_rows(rows)
    one.footprint, one.name, one.score = *to_hex([square(50)]), "moved", None
    update_rows([one], ["footprint", "name"])
    kept, untouched = Site.objects.order_by("pk")
    assert isinstance(kept.footprint, GEOSGeometry)
    assert (kept.footprint.extent[0], kept.name, kept.score) == (50, "moved", 0.0)
    assert (untouched.footprint, untouched.name) == (two.footprint, "no. 1")


def test_nothing_is_written_without_asking(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        insert_rows([])
        update_rows([], ["name"])
        assert ids_in_boxes(Site, "footprint", np.empty((0, 4))) == set()


def test_boxes_find_what_they_touch_however_many_they_are() -> None:
    rows = some_rows(300)
    insert_rows(rows)
    rng = np.random.default_rng(1)
    corners = np.column_stack([rng.uniform(-5, 30, 1500), rng.uniform(-20.12, -20.09, 1500)])
    boxes = np.column_stack([corners, corners + rng.uniform(0, 0.02, (1500, 2))])
    outlines = shapely.from_wkb([bytes(row.footprint.wkb) for row in rows])
    hit = shapely.STRtree(outlines).query(shapely.box(*boxes.T), predicate="intersects")[1]
    expected = {rows[index].pk for index in hit.tolist()}
    # SpatiaLite's index holds single precision, rounded outwards.
    found = ids_in_boxes(Site, "footprint", boxes)
    assert expected <= found
    assert len(found - expected) <= 2
    assert 50 < len(expected) < 300


def test_one_row_is_written_as_django_would() -> None:
    [site] = some_rows(1)
    insert_row(site)
    assert Site.objects.get() == site
    [other] = some_rows(1)
    other.save()
    assert other.pk == site.pk + 1
    kept, by_django = (cast(dict[str, Any], row) for row in Site.objects.order_by("pk").values())
    for name in ("footprint", "point"):
        assert kept.pop(name).equals_exact(by_django.pop(name), 1e-12)
    own = dict.fromkeys(("id", "created_at", "updated_at"))
    assert {**kept, **own} == {**by_django, **own}


def test_a_row_is_written_over_the_one_of_the_same_key(django_user_model: type[User]) -> None:
    site, user, key = a_site(), django_user_model.objects.create_user("ana"), uuid.uuid4()
    said = Decision(
        key=key, site=site, reviewer=user, verdict="accept", base_version=0, version=1, types={"method": "x"}
    )
    insert_row(said)
    assert Decision.objects.get(key=key).types == {"method": "x"}
    for reviews in (1, 2):
        label = Label(site=site, state="verified", geometry=site.footprint, decision=said, decided_at=said.created_at)
        label.reviews = reviews
        insert_row(label, over="site")
        assert label.pk == Label.objects.get().pk
    assert Label.objects.get().reviews == 2
    with pytest.raises(IntegrityError):
        insert_row(Decision(key=key, site=site, reviewer=user, verdict="skip", base_version=0))
