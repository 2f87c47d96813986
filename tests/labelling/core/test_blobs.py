"""Files that come in are whole or absent, and lie under their content."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from labelling.core import blobs
from labelling.core.blobs import blob_path, receive_file
from labelling.core.errors import BadInput

PIECES = [b"id,lat,", b"lon\n"]
SHA256 = hashlib.sha256(b"".join(PIECES)).hexdigest()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_that_is_kept_lies_under_its_content(tmp_path: Path) -> None:
    for _ in range(2):
        with receive_file(tmp_path, PIECES, most=100) as file:
            assert (file.path.read_bytes(), file.sha256, file.size) == (b"id,lat,lon\n", SHA256, 11)
            file.keep()
        assert files(tmp_path) == [blob_path(tmp_path, SHA256)]
    assert blob_path(tmp_path, SHA256).read_bytes() == b"".join(PIECES)


def test_a_file_that_is_not_kept_leaves_nothing(tmp_path: Path) -> None:
    with receive_file(tmp_path, PIECES, most=100):
        assert len(files(tmp_path)) == 1
    assert files(tmp_path) == []


def test_no_more_is_taken_in_than_is_allowed(tmp_path: Path) -> None:
    asked = []

    def endless() -> Iterator[bytes]:
        while True:
            asked.append(1)
            yield b"x" * 1_000_000

    with pytest.raises(BadInput, match="more than 3 MB"), receive_file(tmp_path, endless(), most=3_000_000):
        pytest.fail("it was taken")
    assert (len(asked), files(tmp_path)) == (4, [])


def test_the_disk_is_never_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "KEPT_FREE", 1 << 60)
    with pytest.raises(BadInput, match="nearly full"), receive_file(tmp_path, PIECES, most=100):
        pytest.fail("it was taken")
    assert files(tmp_path) == []
