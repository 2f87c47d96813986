from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Point, box
from shapely.geometry.base import BaseGeometry

from labelling.core.crosswalks import MAPPINGS, SYNONYMS, TABLES
from labelling.core.errors import BadInput
from labelling.core.formats import Row, Table
from labelling.core.seed_mapping import SeedMapping
from labelling.core.seeds import SeedPlan, join_tables, plan_seeds
from labelling.core.taxonomy import TAXONOMY
from labelling.core.vocabulary import Vocabulary

WORDS = Vocabulary.of([(spec.code, spec.name, spec.axis) for spec in TAXONOMY])


def table(*rows: tuple[BaseGeometry | None, dict[str, Any]], layers: tuple[str, ...] = ()) -> Table:
    numbered = tuple(Row(number, geometry, properties) for number, (geometry, properties) in enumerate(rows, start=1))
    return Table("seeds.geojson", layers[0] if layers else "", layers, numbered)


def plan(*rows: tuple[BaseGeometry | None, dict[str, Any]], mapping: Any = None, **more: Any) -> SeedPlan:
    options = {"kind": "labelled", **more}
    return plan_seeds(table(*rows), mapping=SeedMapping.from_json(mapping or {}, WORDS), words=WORDS, **options)


def types(properties: dict[str, Any], **more: Any) -> dict[str, list[str]]:
    (claim,) = plan((Point(0, 0), properties), **more).claims
    return {axis: [code for code, _ in offers] for axis, offers in claim.types.items()}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("tailings", "tailings_storage_facility"),
        ("tailings_storage_facility", "tailings_storage_facility"),
        ("Tailings Storage Facility", "tailings_storage_facility"),
        (" Open pit ", "open_pit"),
        ("open_cast", "open_pit"),
        ("heap leaching", "heap_leach_pad"),
    ],
)
def test_a_column_mine_type_needs_no_mapping(value: str, code: str) -> None:
    assert types({"mine_type": value}) == {"feature": [code]}


def test_mine_type_may_speak_of_any_axis() -> None:
    assert types({"mine_type": "gold"}) == {"commodity": ["gold"]}
    assert types({"mine_type": None}) == {}


def test_a_mine_type_that_does_not_exist_refuses_its_row() -> None:
    found = plan((Point(0, 0), {"mine_type": "volcano"}), (Point(1, 1), {"mine_type": "pond"}))
    assert [refusal.row for refusal in found.refused] == [1]
    assert "no mine type 'volcano'; the codes are artisanal" in found.refused[0].reason
    assert len(found.claims) == 1


def test_cobalt_names_the_commodity_itself_and_first() -> None:
    mapping = {"commodity": {"column": "metal", "values": {"Copper": "copper", "Cobalt": "cobalt"}}}
    assert types({"metal": "Copper"}, kind="cobalt", mapping=mapping) == {"commodity": ["cobalt", "copper"]}
    assert types({"metal": "Cobalt"}, kind="cobalt", mapping=mapping) == {"commodity": ["cobalt"]}
    assert types({}, kind="cobalt") == {"commodity": ["cobalt"]}


def test_negatives_say_that_there_is_no_mine() -> None:
    (claim,) = plan((Point(0, 0), {"mine_type": "pond"}), kind="negatives").claims
    assert (claim.is_mine, claim.types) == (False, {})


def test_one_type_for_all_rows() -> None:
    assert types({}, type_code="pond") == {"feature": ["pond"]}
    with pytest.raises(BadInput, match="no mine type 'volcano'; the codes are"):
        plan((Point(0, 0), {}), type_code="volcano")


def test_a_value_that_no_table_knows_is_counted_and_the_row_is_untyped() -> None:
    rows = [(Point(0, 0), {"class": value}) for value in (5, 0, 12, "12", None)]
    found = plan(*rows, mapping="lames")
    assert (found.typed, found.untyped, found.refused) == (1, 4, [])
    assert found.unmapped == {("class", "12"): 2}


@pytest.mark.parametrize("value", [8, 8.0, "8", " 8 "])
def test_numbers_and_their_text_are_one_value(value: Any) -> None:
    assert types({"class": value}, mapping="lames") == {"feature": ["tailings_storage_facility"]}


def test_a_column_without_a_table_is_read_as_codes_and_names() -> None:
    mapping = {"commodity": {"column": "ore"}}
    assert types({"ore": "Lead and zinc"}, mapping=mapping) == {"commodity": ["lead_zinc"]}
    assert types({"ore": "open pit"}, mapping=mapping) == {}


def test_rows_that_are_no_mines_are_left_out() -> None:
    mapping = {"leave_out": {"what": ["Oil Field"]}}
    found = plan((Point(0, 0), {"what": "oil field"}), (Point(1, 1), {"what": "Mine"}), mapping=mapping)
    assert (found.left_out, len(found.claims)) == (1, 1)


def test_a_row_without_a_place_is_refused_and_told() -> None:
    found = plan((None, {"lat": "°21'"}), (Point(0, 0), {"lat": "1"}), mapping={"where": ["lat"]})
    (refusal,) = found.refused
    assert (refusal.row, refusal.reason) == (1, 'it has no geometry (lat "°21\'")')


def test_a_polygon_set_may_have_mapped_nothing() -> None:
    found = plan((None, {"tile": 1}), (box(0, 0, 1, 1), {"tile": 2}), kind="polygons")
    assert (found.empty, found.refused, len(found.claims)) == (1, [], 1)


def test_places_that_lie_apart_become_claims_of_their_own() -> None:
    far = MultiPolygon([box(0, 0, 1, 1), box(5, 5, 6, 6)])
    found = plan((far, {"id": 7, "name": "Tile"}), mapping={"id": "id", "name": "name"})
    assert [claim.external_id for claim in found.claims] == ["7/1", "7/2"]
    assert {claim.name for claim in found.claims} == {"Tile"}
    assert (found.split, found.typed + found.untyped) == (1, 1)


class TestIdentity:
    def test_the_sources_own_identifier_is_kept(self) -> None:
        assert plan((Point(0, 0), {"uid": "ZMB038"}), mapping={"id": "uid"}).claims[0].external_id == "ZMB038"

    def test_rows_that_share_an_identifier_are_told_apart_whatever_their_order(self) -> None:
        rows = [(Point(0, 0), {"uid": "A", "metal": metal}) for metal in ("cobalt", "copper")]
        there, back = (plan(*order, mapping={"id": "uid"}).claims for order in (rows, rows[::-1]))
        assert {claim.external_id for claim in there} == {claim.external_id for claim in back}
        assert len({claim.external_id for claim in there}) == 2
        assert all(claim.external_id.startswith("A~") for claim in there)

    def test_rows_that_are_the_same_in_everything_are_one_claim(self) -> None:
        row = (box(0, 0, 1, 1), {"name": "twice"})
        first, second = plan(row, row).claims
        assert first.external_id == second.external_id

    def test_a_ring_drawn_from_another_corner_is_the_same_claim(self) -> None:
        ring = box(0, 0, 1, 1)
        turned = ring.reverse()
        assert plan((ring, {})).claims[0].external_id == plan((turned, {})).claims[0].external_id

    def test_layers_do_not_share_identifiers(self) -> None:
        layered = Table("a.gpkg", "maus", ("maus", "tang"), table((Point(0, 0), {"tile": 5})).rows)
        mapping = SeedMapping.from_json({"id": "tile"}, WORDS)
        (claim,) = plan_seeds(layered, kind="polygons", mapping=mapping, words=WORDS).claims
        assert claim.external_id == "maus:5"

    @given(st.text(max_size=300), st.text(max_size=300))
    def test_identifiers_fit_the_column_and_differ_where_rows_do(self, one: str, other: str) -> None:
        rows = [(Point(0, 0), {"uid": one}), (Point(0, 0), {"uid": other})]
        ids = [claim.external_id for claim in plan(*rows, mapping={"id": "uid"}).claims]
        assert all(0 < len(text) <= 120 for text in ids)
        assert (ids[0] == ids[1]) is (one == other)


class TestMapping:
    @pytest.mark.parametrize(
        ("mapping", "reason"),
        [
            ([], "the mapping must be a JSON object"),
            ("marsian", "no mapping 'marsian'; there are anm, gem"),
            ({"colour": "x"}, "the mapping has the unknown key 'colour'"),
            ({"feature": {"table": "lames"}}, "feature: needs a column, or a value for all rows"),
            ({"feature": {"column": "a", "table": "x"}}, "no table 'x'"),
            ({"commodity": {"column": "a", "table": "lames"}}, "no axis in the table lames: 'commodity'"),
            ({"feature": {"value": "volcano"}}, "no mine type 'volcano'; the codes are"),
            ({"feature": {"value": "gold"}}, "gold is a commodity, not a feature"),
            ({"feature": {"column": "a", "values": {"x": "gold"}}}, "gold is a commodity, not a feature"),
            ({"feature": {"column": 5}}, "column must be text"),
            ({"join": "tiles"}, "join must be a JSON object"),
        ],
    )
    def test_a_mapping_that_cannot_be_meant_says_what_to_change(self, mapping: Any, reason: str) -> None:
        with pytest.raises(BadInput) as caught:
            SeedMapping.from_json(mapping, WORDS)
        assert reason in str(caught.value)

    def test_a_column_that_the_file_lacks_is_named(self) -> None:
        with pytest.raises(BadInput, match=r"seeds.geojson: no column 'class'.*it has kind"):
            plan((Point(0, 0), {"kind": 1}), mapping="lames")

    @pytest.mark.parametrize("name", MAPPINGS)
    def test_every_mapping_that_ships_can_be_read(self, name: str) -> None:
        assert SeedMapping.from_json(name, WORDS).columns()

    def test_every_table_that_ships_leads_to_types_that_exist_on_its_axis(self) -> None:
        for name, axes in TABLES.items():
            for axis, values in axes.items():
                for value, code in values.items():
                    assert code is None or WORDS.axis_of[code] == axis, (name, value)
                    assert value == value.casefold().strip(), (name, value)
        assert set(SYNONYMS.values()) <= set(WORDS.axis_of)


def test_a_second_layer_lends_its_columns() -> None:
    shapes = table((Point(0, 0), {"tile": 1}), (Point(1, 1), {"tile": 2}))
    facts = table((None, {"tile": "1", "minetype1": "Surface"}))
    first, second = join_tables(shapes, facts, "tile").rows
    assert first.properties == {"tile": 1, "minetype1": "Surface"}
    assert second.properties == {"tile": 2}
    with pytest.raises(BadInput, match="no column 'fid' to join on"):
        join_tables(shapes, facts, "fid")


def test_the_file_is_named_in_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        plan((Point(0, 0), {}), mapping={"name": "nom"})
    assert caught.value.file == "seeds.geojson"
