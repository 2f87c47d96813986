"""CSV in any encoding and with any delimiter, read within bounds."""

import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from charset_normalizer import from_bytes

from labelling.core.errors import BadInput
from labelling.core.grids import CRS, read_grid
from labelling.core.vector import RawTable, Reading

MAX_BYTES = 500_000_000
MAX_LINE = 1_000_000
DELIMITERS = (",", ";", "\t", "|")
WESTERN = "cp1252"
# What people's programs write besides UTF-8. The library knows many more, and then takes them for one another.
ENCODINGS = (
    WESTERN,
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1256",
    "cp932",
    "gb18030",
    "big5",
    "euc_kr",
    "cp850",
    "mac_roman",
)
_SAMPLE = 200_000
_SAMPLE_ROWS = 50
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_delimited(path: Path, reading: Reading) -> RawTable:
    """Read a table of text.

    Args:
        path: the file.
        reading: encoding, delimiter and number of header rows, where a person has said them.

    Returns:
        Rows without geometries, and how the file was read.

    Raises:
        BadInput: too large, a line without an end, not text in its encoding, or not a table.
    """
    if path.stat().st_size > MAX_BYTES:
        msg = f"a CSV above {MAX_BYTES // 10**6} MB is not read: write it as GeoParquet or GeoPackage"
        raise BadInput(msg)
    offers = (reading.encoding,) if reading.encoding else guess_encodings(path)
    encoding = offers[0]
    try:
        with _open(path, encoding) as file:
            lines = _lines(file)
            delimiter = reading.delimiter or guess_delimiter(
                [line for line, _ in zip(lines, range(_SAMPLE_ROWS), strict=False)]
            )
        with _open(path, encoding) as file:
            headers, rows = read_grid(csv.reader(_lines(file), delimiter=delimiter, strict=False), reading.header_rows)
    except UnicodeError as error:
        msg = f"its text is not {encoding}: choose another encoding"
        raise BadInput(msg) from error
    except (csv.Error, LookupError, TypeError) as error:
        msg = f"not a table that can be read: {error}"
        raise BadInput(msg) from error
    if rows and len(rows[0][1]) < 2:
        msg = "a single column: it is not a table, or its delimiter is another one"
        raise BadInput(msg)
    read = Reading(None, encoding, delimiter, headers)
    return RawTable("", (), CRS, rows, read, guess_encodings(path) if reading.encoding else offers)


def _open(path: Path, encoding: str) -> IO[str]:
    return path.open(encoding=encoding, newline="")


def _lines(file: IO[str]) -> Iterator[str]:
    while line := file.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            msg = f"a line of more than {MAX_LINE} characters: it is not a table, or its line ends are lost"
            raise BadInput(msg)
        yield line


def guess_encodings(path: Path) -> tuple[str, ...]:
    """Find the encodings that a file may be in.

    Args:
        path: the file.

    Returns:
        At least one, the likeliest first. UTF-8 proves itself; the others are guesses.
    """
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
        is_whole = not file.read(1)
    for mark, encoding in _BOMS:
        if sample.startswith(mark):
            return (encoding,)
    # The sample may end within a character, and does not where there is a line end.
    sample = sample if is_whole else sample[: sample.rfind(b"\n") + 1] or sample
    if _is_utf8(path):
        return ("utf-8",)
    # How untidy the text looks in each; between equals the one that most programs write wins.
    found = sorted(
        from_bytes(sample, cp_isolation=list(ENCODINGS)), key=lambda one: (round(one.chaos, 2), -one.coherence)
    )
    names = [one.encoding for one in found]
    best = [one.encoding for one in found if round(one.chaos, 2) == round(found[0].chaos, 2)]
    if WESTERN in best:
        names = [WESTERN, *(name for name in names if name != WESTERN)]
    return tuple(dict.fromkeys([*names, WESTERN, "latin-1"]))


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def guess_delimiter(lines: list[str]) -> str:
    """Find the delimiter that cuts the most lines into the same number of cells, of those into more than one.

    ``csv.Sniffer`` takes quadratic time on hostile text and is fooled by decimal commas.
    """

    def score(delimiter: str) -> tuple[float, int]:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if any(row))
        except csv.Error:
            return 0.0, 0
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        return (count / max(widths.total(), 1), width) if width > 1 else (0.0, 0)

    return max(DELIMITERS, key=score)
