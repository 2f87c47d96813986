from typing import Any

import pytest
from shapely.geometry import Point, box
from shapely.geometry.base import BaseGeometry

from labelling.core.sites import Evidence, judge_site, whole_reasons
from labelling.models import Site


def evidence(source: int = 1, kind: str = "labelled", geometry: BaseGeometry | None = None, **more: Any) -> Evidence:
    return Evidence(source, kind, geometry or box(0, 0, 0.01, 0.01), **more)


def feature(*codes: str, score: float | None = None) -> dict[str, Any]:
    return {"feature": tuple((code, score) for code in codes)}


def test_outlines_beat_points_and_trusted_outlines_beat_others() -> None:
    point, coarse, drawn = Point(0, 0), box(0, 0, 1, 1), box(0, 0, 0.5, 0.5)
    claims = [
        evidence(geometry=point, kind="person"),
        evidence(2, "polygons", coarse),
        evidence(3, "labelled", drawn),
        evidence(4, "labelled", box(0, 0, 0.4, 0.4)),
    ]
    standing = judge_site(claims)
    assert standing.footprint == drawn
    assert drawn.contains(standing.point)
    assert judge_site(claims[:1]).area_ha == 0


def test_the_type_is_that_of_the_most_trusted_source() -> None:
    claims = [
        evidence(1, "model", types=feature("pond", score=0.9), score=0.9),
        evidence(2, "labelled", types=feature("open_pit", "pond")),
        evidence(3, "cobalt", types={"commodity": (("cobalt", None),)}),
        evidence(4, "negatives", types=feature("waste_rock_dump"), is_mine=False),
    ]
    standing = judge_site(claims)
    assert standing.types == {"feature": "open_pit", "commodity": "cobalt"}
    assert standing.score == 0.9


def test_among_equals_the_surer_then_the_older_wins() -> None:
    unsure, sure = (evidence(source, "model", types=feature(code, score=score)) for source, code, score in (
        (1, "pond", 0.6), (2, "open_pit", 0.8)))  # fmt: skip
    assert judge_site([unsure, sure]).types == {"feature": "open_pit"}
    assert judge_site([evidence(types=feature("pond")), evidence(2, types=feature("open_pit"))]).types == {
        "feature": "pond"
    }


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ([evidence(types=feature("pond"))], "it waits for a first look"),
        ([evidence()], "no source names its type"),
        ([evidence(is_mine=False)], "its source says that there is no mine here"),
        (
            [evidence(types=feature("pond")), evidence(2, types=feature("open_pit"))],
            "two sources disagree on the type",
        ),
        (
            [evidence(source, types=feature(code)) for source, code in ((1, "a"), (2, "b"), (3, "c"))],
            "three sources disagree on the type",
        ),
        (
            [evidence(types={"commodity": ((code, None),)}) for code in ("cobalt", "copper")],
            "it waits for a first look",  # one source, two commodities: no quarrel
        ),
        (
            [evidence(types=feature("pond")), evidence(2, types=feature("pond"), is_mine=False)],
            "sources disagree on whether this is a mine",
        ),
        ([evidence(kind="model", types=feature("pond", score=0.52), score=0.52)], "the model is unsure (0.52)"),
        ([evidence(kind="model", types=feature("pond", score=0.95), score=0.95)], "it waits for a first look"),
    ],
)
def test_a_site_says_why_it_stands_where_it_stands(claims: list[Evidence], why: str) -> None:
    assert judge_site(claims).why == why


def test_reasons_add_up_and_the_weightiest_is_said_first() -> None:
    claims = [
        evidence(types=feature("pond")),
        evidence(2, "model", types=feature("open_pit", score=0.5), score=0.5),
    ]
    standing = judge_site(claims, rare={"pond"})
    assert standing.why == (
        "two sources disagree on the type; the model is unsure (0.50); few verified examples of its type"
    )
    assert standing.priority == pytest.approx(6)
    assert standing.priority > judge_site(claims).priority > judge_site(claims[:1]).priority


def test_the_name_is_the_first_that_a_source_gives() -> None:
    assert judge_site([evidence(), evidence(2, name="Kolwezi"), evidence(3, name="KOV")]).name == "Kolwezi"


def test_a_site_keeps_whole_reasons_as_far_as_its_column_reaches() -> None:
    room = Site._meta.get_field("why").max_length or 0
    half = "a" * (room // 2 - 1)
    assert whole_reasons("few; words") == "few; words"
    assert whole_reasons(f"{half}; {half}; more") == f"{half}; {half}"
    assert whole_reasons(f"{half}; {half}bc; more") == half
    long = whole_reasons("b" * (room + 1))
    assert len(long) == room
    assert long.endswith("b…")
