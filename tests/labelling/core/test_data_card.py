import pytest

from labelling.core.data_card import Card, data_card, field_list
from labelling.core.export import FORMATS, ExportSettings
from tests.labelling.core.test_export import LICENCES, PIT

COUNTS = {"labels": 2, "types": {"open_pit": 2}, "left_out": {"known only as a point": 1}}


def card(format_: str, **more: object) -> str:
    values: dict[str, object] = {
        "settings": ExportSettings(format_),
        "last_decision": 42,
        "counts": COUNTS,
        "classes": ("open_pit", "pond"),
        "licences": [{"source": "A | B", "licence": "", "labels": 2, "citation": "two\nlines"}],
        "attributions": ["Contains modified Copernicus Sentinel data 2021"],
        "synthetic": False,
    }
    return data_card(Card(**{**values, **more}))  # type: ignore[arg-type]


def test_codes_are_written_as_they_are_and_counts_in_words() -> None:
    text = card("yolo")
    assert "| types: open_pit | 2 |" in text
    assert "| left out: known only as a point | 1 |" in text


@pytest.mark.parametrize(("format_", "first"), [("yolo", 0), ("coco", 1)])
def test_classes_have_the_numbers_that_they_have_in_the_files(format_: str, first: int) -> None:
    assert f"| {first} | `open_pit` |\n| {first + 1} | `pond` |" in card(format_)


def test_geojson_has_neither_chips_nor_classes() -> None:
    text = card("geojson")
    assert "## Classes" not in text
    assert "chips" not in text
    assert "Copernicus" not in text


def test_a_cell_stays_a_cell() -> None:
    assert "| A \\| B | not stated | 2 | two lines |" in card("yolo")


def test_generated_imagery_is_named_first() -> None:
    assert card("coco", synthetic=True).splitlines()[2].startswith("**Synthetic")
    assert "Synthetic" not in card("coco")


@pytest.mark.parametrize("format_", FORMATS)
def test_every_field_of_a_label_is_explained(format_: str) -> None:
    text = field_list(ExportSettings(format_))
    for name in PIT.provenance:
        assert name in text
    assert LICENCES["Maus"].licence not in text
