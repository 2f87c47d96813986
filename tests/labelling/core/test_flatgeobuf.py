from pathlib import Path

import pytest

from labelling.core.formats import read_vector
from labelling.core.vector import Reading
from tests.seed_files import ROWS, refused, write_flatgeobuf


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_truncated_one_is_refused(tmp_path: Path, kept: float) -> None:
    path = write_flatgeobuf(tmp_path / "a.fgb", ROWS)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert "a FlatGeobuf that cannot be read" in refused(path)


def test_one_without_a_crs_is_refused_until_it_is_said(tmp_path: Path) -> None:
    path = write_flatgeobuf(tmp_path / "a.fgb", ROWS, crs=None)
    assert "it has no CRS" in refused(path)
    assert len(read_vector(path, reading=Reading(crs="EPSG:4326")).rows) == 2
