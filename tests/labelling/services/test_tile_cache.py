import os
from pathlib import Path
from typing import Any

import pytest

from labelling.services import tile_cache
from labelling.services.tile_cache import cached_tile, keep_tile, sweep_tiles


@pytest.fixture(autouse=True)
def root(tmp_path: Path, settings: Any) -> Path:
    settings.TILE_ROOT = tmp_path / "tiles"
    return tmp_path / "tiles"


def test_a_tile_is_found_again_and_another_is_not() -> None:
    assert cached_tile(key="abcdef") is None
    keep_tile(key="abcdef", image=b"tile")
    assert cached_tile(key="abcdef") == b"tile"
    assert cached_tile(key="abcdee") is None


def test_a_tile_that_a_power_cut_emptied_is_drawn_again(root: Path) -> None:
    keep_tile(key="abcdef", image=b"tile")
    (root / "ab" / "cdef").write_bytes(b"")
    assert cached_tile(key="abcdef") is None


def test_a_disk_that_refuses_is_no_fault(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    root.write_text("a file where the folder should be")
    keep_tile(key="abcdef", image=b"tile")
    assert cached_tile(key="abcdef") is None


def test_the_oldest_go_when_there_are_too_many(root: Path) -> None:
    for age in range(10):
        keep_tile(key=f"aa{age}", image=b"x" * 100)
        os.utime(root / "aa" / str(age), ns=(age, age))
    assert sweep_tiles(limit=1000) == 0
    assert sweep_tiles(limit=500) == 6
    assert sorted(path.name for path in (root / "aa").iterdir()) == ["6", "7", "8", "9"]


def test_keeping_looks_at_the_sum_from_time_to_time(root: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TILE_CACHE_BYTES = 250
    monkeypatch.setattr(tile_cache, "SWEEP_EACH", 1)
    for number in range(9):
        keep_tile(key=f"aa{number}", image=b"x" * 100)
    assert sum(path.stat().st_size for path in root.glob("*/*")) <= 250
