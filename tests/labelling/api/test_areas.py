"""Windows in which everything is labelled, as a browser tells of them."""

from uuid import uuid4

import pytest

from labelling.api import answers
from labelling.core.outlines import to_geojson
from tests.api import Browser, a_decision, matches
from tests.cast import Cast
from tests.mines import HERE, some_sites, square

pytestmark = pytest.mark.django_db


def test_windows_are_listed_and_taken_back(cast: Cast) -> None:
    ana = Browser(cast.ana)
    window = {"key": str(uuid4()), "geometry": to_geojson(square(side=0.1)), "axis": "commodity"}
    made = ana.post("/reviewed-areas/", window, status=201)
    assert matches(made, answers.AreaOut())
    near = f"/reviewed-areas/?bbox={HERE[0]},{HERE[1]},{HERE[0] + 1},{HERE[1] + 1}"
    assert ana.get(near) == [made]
    assert ana.get("/reviewed-areas/?bbox=10,10,11,11") == []
    assert ana.get("/reviewed-areas/?bbox=170,-30,-30,10") == [made]  # over the antimeridian
    assert ana.post("/reviewed-areas/", {**window, "axis": "feature"}, status=422)["error"]
    first, again = (ana.post(f"/reviewed-areas/{window['key']}/revoke/") for _ in range(2))
    assert first == again
    assert first["revoked_at"]
    assert ana.get(near) == []


def test_windows_and_decisions_are_told_in_the_order_in_which_they_were_made(cast: Cast) -> None:
    """So that undo after a reload takes back what came last, whichever it was."""
    one, two = some_sites(2)
    ana = Browser(cast.ana)
    ana.post("/decisions/", a_decision(one.pk), status=201)
    window = {"key": str(uuid4()), "geometry": to_geojson(square(side=0.1)), "axis": "feature"}
    ana.post("/reviewed-areas/", window, status=201)
    ana.post("/decisions/", a_decision(two.pk), status=201)
    Browser(cast.ben).post("/reviewed-areas/", {**window, "key": str(uuid4())}, status=201)

    def told(limit: int) -> list[tuple[object, ...]]:
        return [(step["kind"], step["site"], step["undone"]) for step in ana.get(f"/decisions/?limit={limit}")]

    steps = [("decision", two.pk, False), ("area", None, False), ("decision", one.pk, False)]
    assert told(20) == steps
    assert told(2) == steps[:2]
    ana.post(f"/reviewed-areas/{window['key']}/revoke/")
    assert told(3)[1] == ("area", None, True)


@pytest.mark.parametrize("box", ["1,2,3", "a,b,c,d", "nan,0,1,1", "0,50,1,40", "-200,0,1,1", "", "0,0,1,1e999"])
def test_a_box_that_is_none_is_refused(cast: Cast, box: str) -> None:
    assert "bbox" in Browser(cast.ana).get(f"/reviewed-areas/?bbox={box}", status=400)["error"]
