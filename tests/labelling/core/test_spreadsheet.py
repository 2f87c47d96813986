import datetime
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from labelling.core.errors import BadInput
from labelling.core.formats import read_vector, sniff_format
from labelling.core.vector import ManyLayers, Reading

ROWS = [
    ["General", None, None],
    ["id", "name", "lat"],
    [1, "Compañía", -33.5],
    [None, None, None],
    [2.0, "=1+1", "33°S"],
]


def write(path: Path, rows: Sequence[Any], *, sheets: tuple[str, ...] = ("mines",)) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def forge(path: Path, sheet: str) -> Path:
    """Put another sheet into a workbook."""
    with (
        zipfile.ZipFile(write(path.with_suffix(".good"), [["a", "b"], [1, 2]])) as good,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bad,
    ):
        for member in good.infolist():
            is_sheet = member.filename == "xl/worksheets/sheet1.xml"
            bad.writestr(member.filename, sheet if is_sheet else good.read(member))
    return path


def sheet_of(rows: str, before: str = "") -> str:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?>{before}<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'


def test_headers_are_found_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", ROWS)
    assert sniff_format(path) == "xlsx"
    table = read_vector(path)
    assert table.columns == ("id", "name", "lat")
    assert [(row.number, row.properties["id"]) for row in table.rows] == [(3, 1), (5, 2)]
    # A formula that no program has worked out has no value; it is never worked out here.
    assert [row.properties["name"] for row in table.rows] == ["Compañía", None]


def test_a_sheet_is_chosen_where_there_are_several(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", ROWS, sheets=("one", "two"))
    with pytest.raises(ManyLayers, match="it has the layers one, two") as caught:
        read_vector(path)
    assert caught.value.layers == ("one", "two")
    assert read_vector(path, layer="two").layer == "two"
    with pytest.raises(BadInput, match="no layer 'three'"):
        read_vector(path, layer="three")


def test_dates_are_text_and_header_rows_can_be_said(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", [["id", "day"], [1, datetime.date(2024, 5, 6)]])
    assert read_vector(path).rows[0].properties["day"].startswith("2024-05-06")
    assert read_vector(path, reading=Reading(header_rows=0)).columns == ("column 1", "column 2")


@pytest.mark.parametrize(
    ("sheet", "reason"),
    [
        (sheet_of('<row r="1"><c r="XFD1" t="inlineStr"><is><t>x</t></is></c></row>'), "columns, at most 1000"),
        (sheet_of("<row"), "cannot be read"),
        (sheet_of("", '<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]>'), "cannot be read|there is no data"),
        ("", "cannot be read"),
    ],
)
def test_a_hostile_sheet_is_refused(tmp_path: Path, sheet: str, reason: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_vector(forge(tmp_path / "bad.xlsx", sheet))
    assert any(part in str(caught.value) for part in reason.split("|"))


def test_a_cell_at_the_far_end_costs_no_memory(tmp_path: Path) -> None:
    far = '<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>x</t></is></c></row>'
    near = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>'
    with pytest.raises(BadInput, match="1000001 rows, at most 1000000"):
        read_vector(forge(tmp_path / "far.xlsx", sheet_of(near + far)))


def test_bombs_and_other_archives_are_refused(tmp_path: Path) -> None:
    bomb = forge(tmp_path / "bomb.xlsx", sheet_of(" " * 60_000_000))
    with pytest.raises(BadInput, match="too large when unpacked"):
        read_vector(bomb)
    kmz = tmp_path / "a.kmz"
    with zipfile.ZipFile(kmz, "w") as archive:
        archive.writestr("doc.kml", "<kml/>")
    with pytest.raises(BadInput, match="a KMZ: KML is not read"):
        read_vector(kmz)
