import warnings
import zipfile
from pathlib import Path

import pytest

from labelling.core.formats import read_vector
from tests.seed_files import ROWS, refused, write_shapefile


def archive(folder: Path, *extra: tuple[zipfile.ZipInfo | str, bytes], stems: tuple[str, ...] = ("mines",)) -> Path:
    path = folder / "upload.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for stem in stems:
            write_shapefile(folder / f"{stem}.shp", ROWS)
            for part in folder.glob(f"{stem}.*"):
                archive.write(part, part.name)
        for name, content in extra:
            archive.writestr(name, content)
    return path


def test_what_else_lies_in_it_is_left_alone(tmp_path: Path) -> None:
    assert len(read_vector(archive(tmp_path, ("read me.txt", b"hello"))).rows) == 2


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("../../evil.shp", b"x", "a name that leaves the archive"),
        ("/etc/evil.shp", b"x", "a name that leaves the archive"),
        ("a\\b.shp", b"x", "a name that leaves the archive"),
        ("more.zip", b"x", "an archive within the archive"),
        ("mines.prj", b"x", "a name stands twice"),
        ("bomb.dbf", b"\x00" * 30_000_000, "too large when unpacked"),
    ],
)
def test_a_hostile_member_is_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    assert reason in refused(archive(tmp_path, (name, content)))
    assert not (tmp_path.parent / "evil.shp").exists()


def test_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.shp")
    link.external_attr = 0o120777 << 16
    assert "a link in the archive" in refused(archive(tmp_path, (link, b"/etc/passwd")))


def test_exactly_one_shapefile_is_read(tmp_path: Path) -> None:
    assert "2 Shapefiles in the archive" in refused(archive(tmp_path, stems=("mines", "dumps")))
    assert "0 Shapefiles in the archive" in refused(archive(tmp_path, ("a.txt", b""), stems=()))
