import codecs
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelling.core.delimited import guess_delimiter, guess_encodings, read_delimited
from labelling.core.errors import BadInput
from labelling.core.formats import read_vector, sniff_format
from labelling.core.vector import RawTable, Reading

TEXT = "name;Größe;lat\nCompañía Minera;6,0;-33,5\nSão João;7,1;-20,1\n"


def write(folder: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / "mines.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def read(folder: Path, content: str | bytes, reading: Reading | None = None, encoding: str = "utf-8") -> RawTable:
    return read_delimited(write(folder, content, encoding), reading or Reading())


def refused(folder: Path, content: str | bytes, reading: Reading | None = None) -> str:
    with pytest.raises(BadInput) as caught:
        read(folder, content, reading)
    return str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encoding_delimiter_and_header_are_found(tmp_path: Path, encoding: str) -> None:
    table = read(tmp_path, TEXT, encoding=encoding)
    assert table.reading is not None
    assert (table.reading.encoding, table.reading.delimiter, table.reading.header_rows) == (encoding, ";", 1)
    assert table.rows[0] == (None, {"name": "Compañía Minera", "Größe": "6,0", "lat": "-33,5"})
    assert table.encodings[0] == encoding


def test_what_a_person_says_goes_before_a_guess(tmp_path: Path) -> None:
    content = "name;Größe\nŁódź;6,0\n"
    table = read(tmp_path, content, Reading(encoding="cp1250", delimiter=";", header_rows=0), encoding="cp1250")
    assert table.rows[1][1] == {"column 1": "Łódź", "column 2": "6,0"}
    assert "cp1252" in table.encodings
    assert "its text is not utf-8" in refused(tmp_path, b"a,b\n\xe9,1\n", Reading(encoding="utf-8"))
    assert "not a table that can be read" in refused(tmp_path, b"a,b\n1,2\n", Reading(encoding="klingon"))


def test_an_older_mark_of_the_order_of_bytes_is_known(tmp_path: Path) -> None:
    assert guess_encodings(write(tmp_path, codecs.BOM_UTF16_BE + "a,b".encode("utf-16-be"))) == ("utf-16",)


@pytest.mark.parametrize(
    ("lines", "delimiter"),
    [
        (["a;b\n", "1,5;2,5\n", "3,5;4\n"], ";"),
        (["a,b\n", '"x;y",2\n'], ","),
        (["a\tb\n", "1, 2\t3\n"], "\t"),
        (["a|b|c\n", "1|2|3\n"], "|"),
    ],
)
def test_the_delimiter_cuts_lines_into_equal_parts(lines: list[str], delimiter: str) -> None:
    assert guess_delimiter(lines) == delimiter


def test_two_header_rows_and_groups_that_tell_twins_apart(tmp_path: Path) -> None:
    table = read(tmp_path, "Mine;;Ore 1;;Ore 2;\nid;name;metal;grade;metal;grade\n1;A;Cu;2;Au;3\n2;B;Fe;1;;\n")
    assert list(table.rows[0][1]) == ["id", "name", "Ore 1 / metal", "Ore 1 / grade", "Ore 2 / metal", "Ore 2 / grade"]
    assert (table.first_row, len(table.rows)) == (3, 2)
    assert table.rows[1][1]["Ore 2 / metal"] is None


def test_rows_keep_the_numbers_that_a_spreadsheet_shows(tmp_path: Path) -> None:
    table = read_vector(write(tmp_path, "id,lat\n1,5\n,\n3,6\n"))
    assert [row.number for row in table.rows] == [2, 4]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a,b\n" + b"x" * 1_100_000, "a line of more than 1000000 characters"),
        (b"," * 900_000 + b"\n1\n", "900001 columns, at most 1000 are read"),
        (b'a,b\n1,"' + b"x\n" * 200_000, "field larger than field limit"),
        (b"a,b\n", "0 rows|there is no data|1 rows, and 1"),
        (b"only\none\ncolumn\n", "a single column"),
    ],
)
def test_a_hostile_table_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    told = refused(tmp_path, content, Reading(header_rows=1))
    assert any(part in told for part in reason.split("|"))


def test_a_line_without_an_end_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n1,2\n")
        file.truncate(400_000_000)  # zeros without an end, and without a byte on disk
    started = time.monotonic()
    tracemalloc.start()
    with pytest.raises(BadInput, match="a line of more than"):
        read_delimited(path, Reading())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000
    assert time.monotonic() - started < 60


def test_nul_bytes_and_turned_text_do_not_reach_the_database(tmp_path: Path) -> None:
    path = write(tmp_path, "na\u202eme,b\nx\u202egnp.exe,1\n")
    (row,) = read_vector(path).rows
    assert row.properties == {"na me": "xgnp.exe", "b": "1"}
    path.write_bytes(b"a,b\nx\x00y,1\n")
    with pytest.raises(BadInput, match="by its first bytes"):
        sniff_format(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=300))
def test_no_bytes_break_the_reader(tmp_path: Path, content: bytes) -> None:
    try:
        assert read(tmp_path, content or b"x").rows
    except BadInput as error:
        assert error.reason
